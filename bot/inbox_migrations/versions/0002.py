"""An index that finds what was set aside without reading all that was ever handled."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

UNREADABLE = sa.text("dispatched = 2")


def upgrade() -> None:
    op.create_index("inbox_unreadable", "inbox", ["seq"], sqlite_where=UNREADABLE, postgresql_where=UNREADABLE)


def downgrade() -> None:
    op.drop_index("inbox_unreadable", table_name="inbox")
