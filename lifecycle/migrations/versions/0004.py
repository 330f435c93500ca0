"""What a window asked for and how the model did in it; the life of an episode: who ended it, snoozes, returns."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("windows", sa.Column("call", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("windows", sa.Column("said", sa.Text(), nullable=False, server_default=""))
    op.add_column("windows", sa.Column("performance", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("episodes", sa.Column("outcome", sa.String(length=16), nullable=False, server_default=""))
    op.add_column("episodes", sa.Column("by", sa.String(length=200), nullable=False, server_default=""))
    op.add_column("episodes", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.add_column("episodes", sa.Column("size", sa.JSON(), nullable=False, server_default="{}"))
    op.add_column("episodes", sa.Column("snoozed", sa.DateTime(), nullable=True))
    op.add_column("episodes", sa.Column("autoclose", sa.Boolean(), nullable=False, server_default=sa.true()))
    op.add_column("episodes", sa.Column("reopened", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("episodes", sa.Column("counted", sa.Integer(), nullable=False, server_default="0"))
    op.create_index("episodes_closed", "episodes", ["closed"], unique=False)
    op.execute("UPDATE episodes SET outcome = 'over' WHERE closed IS NOT NULL")


def downgrade() -> None:
    op.drop_index("episodes_closed", table_name="episodes")
    for name in ("counted", "reopened", "autoclose", "snoozed", "size", "note", "by", "outcome"):
        op.drop_column("episodes", name)
    for name in ("performance", "said", "call"):
        op.drop_column("windows", name)
