"""Service hooks as people see them: who is told what, and what became of every delivery."""

import json

from flask import Response

from .errors import Refusal
from .pages import Visit, page_at, show

_SHOWN = 50


@page_at("GET", "(/(?P<project>[^/_][^/]*))?/_settings/serviceHooks")
def hooks(visit: Visit) -> Response:
    """Newest deliveries first; a project's page shows the subscriptions that concern it."""
    project = visit.project if visit.parts.get("project") else None
    rows = [
        (found, found.notifications[: -_SHOWN - 1 : -1])
        for found in visit.org.subscriptions.values()
        if project is None or found.publisher_inputs.get("projectId", "") in ("", project.id)
    ]
    return show(visit.org, "azure_hooks.html", title="Service hooks", project=project, rows=rows, shown=_SHOWN)


@page_at("GET", r"/_settings/serviceHooks/(?P<subscription>[0-9a-f-]+)/(?P<number>\d+)")
def delivery(visit: Visit) -> Response:
    """What one delivery carried, and every attempt at it."""
    found = visit.org.subscriptions.get(visit.parts["subscription"])
    number = int(visit.parts["number"])
    if found is None or not 1 <= number <= len(found.notifications):
        raise Refusal(404, "There is no such delivery.", "")
    entry = found.notifications[number - 1]
    body = json.dumps(entry.envelope, indent=2, ensure_ascii=False)
    return show(visit.org, "azure_delivery.html", title=f"Delivery {number}", hook=found, entry=entry, body=body)
