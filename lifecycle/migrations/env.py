"""Alembic's entry: runs the migrations on the connection that the caller holds."""

from alembic import context

attributes = context.config.attributes
context.configure(connection=attributes["connection"], version_table=attributes["version_table"], render_as_batch=True)
with context.begin_transaction():
    context.run_migrations()
