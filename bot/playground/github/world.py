"""The whole stand-in GitHub as one object, for the demo's story and for tests."""

from bot.playground.github.apps import Apps


class GitHub(Apps):
    """A GitHub with state in memory and bare repositories under `root`; see each base class for what it can do.

    It answers HTTP once served: `bot.playground.github.start(root)`, or `application(world)` under any WSGI server.
    Every method takes `as_user` as a login or User, `repo` as "owner/name" or Repo, and sends the webhooks that the
    same act sends on GitHub.
    """
