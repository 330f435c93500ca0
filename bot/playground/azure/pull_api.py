"""Pull requests over the REST API: open, list, change, complete; reviewers, statuses, commits, iterations."""

from collections.abc import Callable, Iterable
from typing import Any

from . import pull_shapes as shapes
from .errors import Refusal, invalid, pull_request_missing
from .git_api import REPOSITORY, read_status, repository_of
from .pull_events import announce_pull
from .pull_requests import abandon, complete, open_pull, reactivate
from .repositories import PullRequest, PullStatus, Repository
from .wire import Answer, Call, Routes, collection

routes = Routes()
PULL = REPOSITORY + "/pullrequests/{pull:int}"


def pull_of(call: Call) -> PullRequest:
    number = call.number("pull")
    found = repository_of(call).pulls.get(number)
    if found is None:
        raise pull_request_missing(number)
    return found


@routes("POST", REPOSITORY + "/pullrequests")
def create(call: Call) -> Answer:
    body = call.object
    for name in ("sourceRefName", "targetRefName"):
        if not body.text(name).startswith("refs/"):
            raise invalid(f"Value cannot be null or empty.\r\nParameter name: {name}")
    pull = open_pull(
        call.org,
        repository_of(call),
        body.text("sourceRefName"),
        body.text("targetRefName"),
        body.text("title"),
        call.person,
        description=body.text("description"),
        draft=bool(body.get("isDraft")),
    )
    for wanted in body.objects("reviewers"):
        _vote(call, pull, wanted.text("id"), 0)
    return Answer(shapes.pull_request(call.org, pull), 201)


@routes("GET", REPOSITORY + "/pullrequests")
def listed(call: Call) -> Answer:
    return _search(call, [repository_of(call)])


@routes("GET", "{project}/_apis/git/pullrequests")
def listed_of_project(call: Call) -> Answer:
    return _search(call, call.project.repositories)


def _search(call: Call, repositories: Iterable[Repository]) -> Answer:
    """Active ones unless searchCriteria.status says otherwise; newest first."""
    given = {name.removeprefix("searchcriteria."): value for name, value in call.query.items()}
    status = given.get("status", "active").lower()
    if status not in ("all", "notset", *PullStatus):
        raise invalid(f"VS402337: status is all, active, completed or abandoned, not {status}.")
    pulls = [pull for repo in repositories for pull in repo.pulls.values()]
    if status not in ("all", "notset"):
        pulls = [pull for pull in pulls if pull.status == status]
    facts: dict[str, Callable[[PullRequest], str]] = {
        "sourcerefname": lambda pull: pull.source,
        "targetrefname": lambda pull: pull.target,
        "creatorid": lambda pull: pull.by.id,
    }
    for name in facts.keys() & given.keys():
        pulls = [pull for pull in pulls if facts[name](pull) == given[name]]
    pulls.sort(key=lambda pull: -pull.id)
    skip, top = call.count("$skip", 0, 1_000_000), call.count("$top", 101, 1000)
    return collection([shapes.pull_request(call.org, pull) for pull in pulls[skip : skip + top]])


@routes("GET", PULL)
def one(call: Call) -> Answer:
    return Answer(shapes.pull_request(call.org, pull_of(call)))


@routes("GET", "{project?}/_apis/git/pullrequests/{pull:int}")
def one_by_number(call: Call) -> Answer:
    for owner in [call.scope] if call.scope else call.org.projects:
        for repo in owner.repositories:
            if (found := repo.pulls.get(call.number("pull"))) is not None:
                return Answer(shapes.pull_request(call.org, found))
    raise pull_request_missing(call.number("pull"))


@routes("PATCH", PULL)
def change(call: Call) -> Answer:
    """Title, description, draft; status completed (with lastMergeSourceCommit), abandoned or active."""
    pull, body = pull_of(call), call.object
    pull.title, pull.description = body.text("title", pull.title), body.text("description", pull.description)
    pull.draft = bool(body.get("isDraft", pull.draft))
    wanted = body.text("status", pull.status)
    if wanted == pull.status:
        announce_pull(call.org, pull, call.person, "updated", "updated the pull request", "")
        return Answer(shapes.pull_request(call.org, pull))
    match wanted:
        case "completed":
            seen = body.object("lastMergeSourceCommit").text("commitId")
            complete(call.org, pull, call.person, seen, body.object("completionOptions"))
        case "abandoned" if pull.status is PullStatus.ACTIVE:
            abandon(call.org, pull, call.person)
        case "active" if pull.status is PullStatus.ABANDONED:
            reactivate(call.org, pull, call.person)
        case _:
            raise invalid(f"VS402337: A pull request that is {pull.status} cannot become {wanted}.")
    return Answer(shapes.pull_request(call.org, pull))


@routes("GET", PULL + "/commits")
def commits(call: Call) -> Answer:
    pull = pull_of(call)
    git = pull.repository.git
    rows = git.log(pull.source_commit, limit=100, exclude=git.merge_base(pull.source_commit, pull.target_commit) or "")
    return collection([shapes.commit(call.org, pull.repository, row) for row in rows])


@routes("GET", PULL + "/iterations")
def iterations(call: Call) -> Answer:
    pull = pull_of(call)
    return collection([shapes.iteration(call.org, pull, entry) for entry in pull.iterations])


@routes("GET", PULL + "/workitems")
def work_items(call: Call) -> Answer:
    """The items with an artifact link to this pull request; %2F in either case."""
    artifact = shapes.pull_request(call.org, pull_of(call))["artifactId"].lower()
    found = [
        item
        for item in call.org.items.values()
        if not item.deleted and any(link.url.lower() == artifact for link in item.now.relations)
    ]
    base = f"{call.org.base_url}/_apis/wit/workItems"
    return collection([{"id": str(item.id), "url": f"{base}/{item.id}"} for item in found])


@routes("POST", PULL + "/statuses")
def say_status(call: Call) -> Answer:
    pull = pull_of(call)
    entry = read_status(call, len(pull.statuses) + 1)
    pull.statuses.append(entry)
    return Answer(shapes.status(call.org, entry, f"{shapes.pull_url(call.org, pull)}/statuses/{entry.id}"), 201)


@routes("GET", PULL + "/statuses")
def statuses(call: Call) -> Answer:
    pull = pull_of(call)
    url = f"{shapes.pull_url(call.org, pull)}/statuses"
    return collection([shapes.status(call.org, entry, f"{url}/{entry.id}") for entry in pull.statuses])


@routes("GET", PULL + "/reviewers")
def reviewers(call: Call) -> Answer:
    pull = pull_of(call)
    return collection([shapes.reviewer(call.org, pull, number) for number in pull.votes])


@routes("PUT", PULL + "/reviewers/{reviewer}")
def vote(call: Call) -> Answer:
    """10 approved, 5 approved with suggestions, 0 none, -5 waiting, -10 rejected; everybody votes for themselves."""
    pull, value = pull_of(call), call.object.number("vote", 0)
    if value not in (10, 5, 0, -5, -10):
        raise invalid(f"VS402337: A vote is one of 10, 5, 0, -5, -10, not {value}.")
    number = call.parts["reviewer"].lower()
    if value and number != call.person.id:
        text = "TF401186: You cannot record a vote for someone else."
        raise Refusal(403, text, "InvalidArgumentValueException")
    _vote(call, pull, number, value)
    if value:
        announce_pull(call.org, pull, call.person, "updated", "voted on the pull request", "ReviewerVote")
    return Answer(shapes.reviewer(call.org, pull, number))


def _vote(call: Call, pull: PullRequest, number: str, value: Any) -> None:
    person = call.org.find_person(number)
    if person is None:
        raise invalid(f"TF401180: The reviewer {number} is not known.")
    pull.votes[person.id] = (person, int(value))
