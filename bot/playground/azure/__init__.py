"""An Azure DevOps organisation that lives in memory and answers the real client on the real paths."""

from .app import AzureDevOps
from .items import WorkItem
from .people import Person
from .repositories import PullRequest, Repository
from .state import Project
from .subscriptions import Subscription
from .throttle import Throttle

__all__ = ["AzureDevOps", "Person", "Project", "PullRequest", "Repository", "Subscription", "Throttle", "WorkItem"]
