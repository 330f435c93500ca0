"""What the bot's own tables have in common."""

from sqlalchemy import MetaData

metadata = MetaData()
