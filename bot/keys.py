"""Keys that the bot makes for itself: made once, in the database, so that all processes and machines have the same."""

import secrets

from sqlalchemy import Column, Engine, String, Table, insert, select
from sqlalchemy.exc import IntegrityError

from bot.schema import metadata

keys = Table(
    "keys",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(64), nullable=False),
)


def key_of(engine: Engine, name: str) -> bytes:
    """The 32 bytes of that name; whoever asks first makes them."""
    known = _read(engine, name)
    if known is None:
        try:
            with engine.begin() as connection:
                connection.execute(insert(keys).values(name=name, value=secrets.token_hex(32)))
        except IntegrityError:
            pass  # somebody else was quicker
        known = _read(engine, name)
    if known is None:
        raise LookupError(f"the key {name} can be neither read nor made")
    return bytes.fromhex(known)


def _read(engine: Engine, name: str) -> str | None:
    query = select(keys.c.value).where(keys.c.name == name)
    with engine.connect().execution_options(read_only=True) as connection:
        found: str | None = connection.execute(query).scalar()
    return found
