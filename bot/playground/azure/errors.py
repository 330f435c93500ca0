"""What the stand-in organisation says when it refuses: Azure DevOps' wrapped errors with their TF and VS codes."""

from collections.abc import Mapping
from typing import Any

TRACKING = "Microsoft.TeamFoundation.WorkItemTracking.Server"
SERVICES = "Microsoft.VisualStudio.Services.Common"
HOOKS = "Microsoft.VisualStudio.Services.ServiceHooks.WebApi"
GIT = "Microsoft.TeamFoundation.Git.Server"
PATCH = "Microsoft.VisualStudio.Services.WebApi.Patch"


class Refusal(Exception):
    """A request that is answered with an error body of the shape {$id, innerException, message, typeName, ...}."""

    def __init__(
        self,
        status: int,
        message: str,
        key: str,
        *,
        home: str = SERVICES,
        event: int = 3000,
        code: int = 0,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.key = key
        self.home = home
        self.event = event
        self.code = code
        self.extra = dict(extra or {})

    def body(self) -> dict[str, Any]:
        assembly = self.home.removesuffix(".Patch")
        wrapped: dict[str, Any] = {"$id": "1"}
        if self.extra:
            wrapped["customProperties"] = self.extra
        return wrapped | {
            "innerException": None,
            "message": self.message,
            "typeName": f"{self.home}.{self.key}, {assembly}",
            "typeKey": self.key,
            "errorCode": self.code,
            "eventId": self.event,
        }


def _tracking(status: int, message: str, key: str, extra: Mapping[str, Any] | None = None) -> Refusal:
    return Refusal(status, message, key, home=TRACKING, event=3200, code=600171, extra=extra)


def not_built(method: str, path: str) -> Refusal:
    """404 for whatever the playground leaves out; names the call, so that nobody takes it for an empty answer."""
    return Refusal(404, f"The playground does not implement {method} {path}.", "VssResourceNotFoundException")


def invalid(message: str) -> Refusal:
    return Refusal(400, message, "VssPropertyValidationException")


def project_missing(name: str) -> Refusal:
    text = (
        f"TF200016: The following project does not exist: {name}. Verify that the name of the project is correct and "
        "that the project exists on the specified Azure DevOps Server."
    )
    home = "Microsoft.TeamFoundation.Core.WebApi"
    return Refusal(404, text, "ProjectDoesNotExistWithNameException", home=home)


def team_missing(name: str) -> Refusal:
    text = f"The team with id '{name}' does not exist, or you do not have permission to access it."
    return Refusal(404, text, "TeamNotFoundException", home="Microsoft.Azure.Devops.Teams.Service")


def item_missing(number: int) -> Refusal:
    text = f"TF401232: Work item {number} does not exist, or you do not have permissions to read it."
    return _tracking(404, text, "WorkItemUnauthorizedAccessException")


def type_missing(name: str, project: str) -> Refusal:
    text = (
        f"VS402323: Work item type {name} does not exist in project {project} "
        "or you do not have permission to access it."
    )
    return _tracking(404, text, "WorkItemTypeNotFoundException")


def field_missing(name: str) -> Refusal:
    return _tracking(400, f"TF51535: Cannot find field {name}.", "WorkItemTrackingFieldDefinitionNotFoundException")


def rule(reference: str, name: str, flags: str) -> Refusal:
    """A field's rule is broken; flags are the service's own words, such as "Required, InvalidEmpty"."""
    text = f"TF401320: Rule Error for field {name}. Error code: {flags}."
    return _rule(reference, text, flags)


def not_in_list(reference: str, name: str, value: object) -> Refusal:
    text = f"The field '{name}' contains the value '{value}' that is not in the list of supported values"
    return _rule(reference, text, "hasValues, limitedToValues, invalidListValue")


def unknown_person(reference: str, name: str, value: object) -> Refusal:
    text = f"The identity value '{value}' for field '{name}' is an unknown identity."
    return _rule(reference, text, "invalidIdentityField")


def _rule(reference: str, text: str, flags: str) -> Refusal:
    detail = {"fieldReferenceName": reference, "fieldStatusFlags": flags, "errorMessage": text, "fieldStatusCode": 0}
    return _tracking(400, text, "RuleValidationException", {"RuleValidationErrors": [detail]})


def tree_missing(number: int, reference: str) -> Refusal:
    text = f"TF401347: Invalid tree name given for work item {number}, field '{reference}'."
    return _tracking(400, text, "WorkItemFieldInvalidTreeNameException")


def bad_field_value(reference: str) -> Refusal:
    text = f"TF401326: Invalid field status 'InvalidType' for field '{reference}'."
    return _tracking(400, text, "WorkItemFieldInvalidException")


def test_failed(path: str, actual: object, expected: object) -> Refusal:
    text = f"VS403351: Test Operation for path {path} failed, value {actual} was not equal to test value {expected}."
    return Refusal(412, text, "TestPatchOperationFailedException", home=PATCH)


def bad_patch(message: str) -> Refusal:
    return Refusal(400, message, "PatchOperationFailedException", home=PATCH)


def link_exists() -> Refusal:
    return _tracking(400, "Relation already exists.", "WorkItemLinkAddExistingException")


def extra_parent(source: int, target: int) -> Refusal:
    text = (
        f"TF201036: You cannot add a Child link between work items {source} and {target} because a work item can have "
        "only one Parent link."
    )
    return _tracking(400, text, "WorkItemLinkAddExtraParentException")


def revision_missing(number: int, revision: int) -> Refusal:
    text = f"TF401232: Work item {number} does not exist at revision {revision}."
    return _tracking(404, text, "WorkItemIdRevisionNotFoundException")


def comment_missing(number: int) -> Refusal:
    return _tracking(404, f"Comment {number} does not exist, or has been deleted.", "CommentNotFoundException")


def bad_query(message: str) -> Refusal:
    return _tracking(400, message, "SyntaxException")


def node_missing(path: str) -> Refusal:
    text = f"VS402485: The classification node does not exist: {path}."
    return _tracking(404, text, "WorkItemTrackingTreeNodeNotFoundException")


def hook_input(message: str) -> Refusal:
    return Refusal(400, message, "SubscriptionInputException", home=HOOKS, event=4501)


def hook_missing(kind: str, name: str) -> Refusal:
    return Refusal(404, f"No {kind} was found with the id {name}.", f"{kind.title()}NotFoundException", home=HOOKS)


def repository_missing(name: str) -> Refusal:
    text = (
        f"TF401019: The Git repository with name or identifier {name} does not exist or you do not have permissions "
        "for the operation you are attempting."
    )
    return Refusal(404, text, "GitRepositoryNotFoundException", home=GIT)


def pull_request_missing(number: int) -> Refusal:
    text = f"TF401180: The requested pull request was not found: {number}."
    return Refusal(404, text, "GitPullRequestNotFoundException", home=GIT)


def git_refused(status: int, message: str, key: str) -> Refusal:
    return Refusal(status, message, key, home=GIT)
