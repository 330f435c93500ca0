"""An Azure DevOps organisation that lives in memory and answers the real client on the real paths."""

from .app import AzureDevOps
from .items import WorkItem
from .people import Person
from .state import Project
from .subscriptions import Subscription

__all__ = ["AzureDevOps", "Person", "Project", "Subscription", "WorkItem"]
