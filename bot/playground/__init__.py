"""The outside world in one process: a GitHub and an Azure DevOps that speak the real wire protocols.

Nothing here imports anything of `bot` or `lifecycle`: what the bot knows of this world it learns over HTTP.
"""
