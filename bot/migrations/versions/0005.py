"""An index that finds what was told long ago."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.create_index("told_at", "told", ["at"])


def downgrade() -> None:
    op.drop_index("told_at", table_name="told")
