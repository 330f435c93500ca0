"""Reads the two platforms through their APIs, to see what the bot has done there."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import requests

from bot.playground.stage import JONAS, MODEL, REPOSITORY, Stage


@dataclass(slots=True)
class Reader:
    """Reads the two platforms through their APIs, as anybody with a token could."""

    stage: Stage
    bot: str
    _http: requests.Session = field(default_factory=requests.Session)

    def github(self, path: str) -> Any:
        """A GET of GitHub's API."""
        token = self.stage.github.world.personal_token(JONAS)
        answer = self._http.get(
            f"{self.stage.github.api}/{path.lstrip('/')}", headers={"Authorization": f"Bearer {token}"}, timeout=30
        )
        answer.raise_for_status()
        return answer.json()

    def azure(self, path: str, body: object = None) -> Any:
        """A GET (or, with a body, a POST) of Azure DevOps' API, in the project."""
        person = self.stage.azure.person("Jonas Berg", "jonas@example.com")
        token = self.stage.azure.personal_token(person)
        url = f"{self.stage.azure.base_url}/Bikes/_apis/{path.lstrip('/')}"
        joint = "&" if "?" in url else "?"
        answer = self._http.request(
            "GET" if body is None else "POST",
            f"{url}{joint}api-version=7.1-preview",
            json=body,
            auth=("", token),
            timeout=30,
        )
        answer.raise_for_status()
        return answer.json()

    def score(self, rows: list[dict[str, object]]) -> Any:
        """Ask the scoring endpoint."""
        url = f"{self.bot}/models/{REPOSITORY}/{MODEL}/invocations"
        return self._http.post(url, json={"dataframe_records": rows}, timeout=60)

    def said(self, number: int) -> list[str]:
        """What the bot has said on an issue or pull request."""
        found = self.github(f"repos/{REPOSITORY}/issues/{number}/comments?per_page=100")
        return [one["body"] for one in found if one["user"]["login"] == "lifecycle-bot[bot]"]

    def item(self, number: int) -> Mapping[str, Any]:
        """A work item with its relations."""
        found: Mapping[str, Any] = self.azure(f"wit/workitems/{number}?$expand=Relations")
        return found

    def items(self, tag: str) -> list[int]:
        """The numbers of the work items with a tag."""
        query = "SELECT [System.Id] FROM WorkItems WHERE [System.Tags] CONTAINS '{}'".format(tag)  # noqa: S608, UP032
        return [one["id"] for one in self.azure("wit/wiql", {"query": query})["workItems"]]

    def item_said(self, number: int) -> list[str]:
        """What the bot has said on a work item."""
        found = self.azure(f"wit/workItems/{number}/comments?$top=200")["comments"]
        return [one["text"] for one in found if one["createdBy"]["displayName"] == "lifecycle-bot"]

    def check(self, commit: str) -> Mapping[str, Any]:
        """Our check on a commit; empty while there is none."""
        found = self.github(f"repos/{REPOSITORY}/commits/{commit}/check-runs")["check_runs"]
        return next((one for one in found if one["name"] == f"lifecycle / {MODEL}"), {})
