"""Projects, their teams and processes over HTTP."""

from typing import Any
from urllib.parse import quote

from .errors import Refusal
from .fields import write_time
from .people import identity_ref
from .processes import PROCESSES, Process
from .state import Organisation, Project, Team
from .wire import Answer, Call, Routes, collection

routes = Routes()


def project_reference(org: Organisation, project: Project) -> dict[str, Any]:
    """TeamProjectReference of the REST API."""
    return {
        "id": project.id,
        "name": project.name,
        "description": project.description,
        "url": f"{org.base_url}/_apis/projects/{project.id}",
        "state": "wellFormed",
        "revision": 1,
        "visibility": "private",
        "lastUpdateTime": write_time(project.created),
    }


def _described(org: Organisation, project: Project, *, capable: bool) -> dict[str, Any]:
    base = f"{org.base_url}/_apis/projects/{project.id}"
    body = project_reference(org, project) | {
        "_links": {
            "self": {"href": base},
            "collection": {"href": f"{org.base_url}/_apis/projectCollections/{org.id}"},
            "web": {"href": f"{org.base_url}/{quote(project.name)}"},
        },
        "defaultTeam": {
            "id": project.team.id,
            "name": project.team.name,
            "url": f"{base}/teams/{project.team.id}",
        },
    }
    if capable:
        body["capabilities"] = {
            "processTemplate": {"templateName": project.process.name, "templateTypeId": project.process.id},
            "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True", "tfvcEnabled": "False"},
        }
    return body


@routes("GET", "_apis/projects")
def listed(call: Call) -> Answer:
    """Pages with $top; the token of the next page is the number of projects already told."""
    skip = call.count("$skip", call.count("continuationToken", 0, 1_000_000), 1_000_000)
    top = call.count("$top", 100, 1000)
    rows = sorted(call.org.projects, key=lambda project: project.name.lower())
    headers = {"X-MS-ContinuationToken": str(skip + top)} if len(rows) > skip + top else {}
    return collection([project_reference(call.org, project) for project in rows[skip : skip + top]], headers)


@routes("GET", "_apis/projects/{project}")
def one(call: Call) -> Answer:
    return Answer(_described(call.org, call.project, capable=call.flag("includeCapabilities")))


@routes("GET", "_apis/projects/{project}/properties")
def properties(call: Call) -> Answer:
    process = call.project.process
    values = {
        "System.ProcessTemplateType": process.id,
        "System.Process Template": process.name,
        "System.CurrentProcessTemplateId": process.id,
    }
    return collection([{"name": name, "value": value} for name, value in values.items()])


def _team(org: Organisation, project: Project, team: Team) -> dict[str, Any]:
    url = f"{org.base_url}/_apis/projects/{project.id}/teams/{team.id}"
    return {
        "id": team.id,
        "name": team.name,
        "url": url,
        "description": "",
        "identityUrl": f"{org.base_url}/_apis/Identities/{team.id}",
        "projectName": project.name,
        "projectId": project.id,
    }


@routes("GET", "_apis/projects/{project}/teams")
def teams(call: Call) -> Answer:
    return collection([_team(call.org, call.project, team) for team in call.project.teams])


@routes("GET", "_apis/teams")
def all_teams(call: Call) -> Answer:
    return collection([_team(call.org, project, team) for project in call.org.projects for team in project.teams])


@routes("GET", "_apis/projects/{project}/teams/{team}")
def one_team(call: Call) -> Answer:
    return Answer(_team(call.org, call.project, call.team))


@routes("GET", "_apis/projects/{project}/teams/{team}/members")
def members(call: Call) -> Answer:
    skip, top = call.count("$skip", 0, 1_000_000), call.count("$top", 100, 1000)
    rows = list(call.team.members.values())[skip : skip + top]
    admins = call.team.admins
    return collection([{"identity": identity_ref(who, call.org.base_url)} | _admin(admins, who.id) for who in rows])


def _admin(admins: set[str], person: str) -> dict[str, bool]:
    """isTeamAdmin is left out when it is not true, as on the service."""
    return {"isTeamAdmin": True} if person in admins else {}


def _process(org: Organisation, process: Process) -> dict[str, Any]:
    return {
        "id": process.id,
        "description": "",
        "isDefault": process is PROCESSES[0],
        "type": "system",
        "url": f"{org.base_url}/_apis/process/processes/{process.id}",
        "name": process.name,
    }


@routes("GET", "_apis/process/processes")
def processes(call: Call) -> Answer:
    return collection([_process(call.org, process) for process in PROCESSES])


@routes("GET", "_apis/process/processes/{process}")
def one_process(call: Call) -> Answer:
    for process in PROCESSES:
        if process.id == call.parts["process"].lower():
            return Answer(_process(call.org, process))
    text = f"VS402362: The process with type id {call.parts['process']} does not exist."
    raise Refusal(404, text, "ProcessNotFoundByTypeIdException")
