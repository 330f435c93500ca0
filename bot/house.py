"""What the settings mean for the rest of the house: which places belong together, and where people find them."""

from collections.abc import Mapping

from bot.alive import LEASE, alive_count
from bot.inbox import Inbox
from bot.refs import Ref
from bot.settings import Settings
from bot.storage import Storage
from bot.world import Plan


def plans(settings: Settings) -> Mapping[str, Plan]:
    """Which repository and board belong together."""
    return {
        one.repository: Plan(
            repository=one.repository,
            branch=one.branch,
            board=f"{organisation(settings)}/{one.board.project}" if one.board else None,
            retrain_items=one.opens,
        )
        for one in settings.projects
    }


def organisation(settings: Settings) -> str:
    """The organisation's name, the last part of its address."""
    return settings.azure_devops.url.rsplit("/", 1)[1] if settings.azure_devops else ""


def web_address(settings: Settings) -> str:
    """Where people see GitHub, told from where its API is."""
    url = settings.github.url if settings.github else ""
    return "https://github.com" if url == "https://api.github.com" else url.removesuffix("/api/v3")


def health(settings: Settings, storage: Storage, inbox: Inbox) -> Mapping[str, str]:
    """Of each part, `ok` or what is wrong."""
    inbox.waiting()
    living = alive_count(storage.main)
    worker = "ok" if living else f"No worker has shown a sign of life for {LEASE:.0f} s."
    return {"database": "ok", "worker": worker, "state": "ok" if settings.state.is_dir() else "The folder is gone."}


def address_of(settings: Settings, text: str) -> str:
    """The web address of a ref's text, empty where there is none."""
    ref = Ref.parse(text)
    if ref.system == "github":
        return f"{web_address(settings)}/{ref.place}/issues/{ref.number}"
    return f"{settings.azure_devops.url}/_workitems/edit/{ref.number}" if settings.azure_devops else ""
