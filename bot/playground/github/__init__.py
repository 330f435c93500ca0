"""A stand-in GitHub, shaped as GitHub Enterprise Server: REST under /api/v3, pages and git at /owner/name.

`start(folder)` serves one; its `world` is a GitHub, through which a story or a test acts.
"""

from bot.playground.github.world import GitHub
from bot.playground.github.wsgi import Playground, application, start

__all__ = ["GitHub", "Playground", "application", "start"]
