"""Which machine moves a run, and the how manieth that had it: what it writes counts only while it is the last."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("runs", sa.Column("host", sa.String(length=64), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("tenure", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    op.drop_column("runs", "tenure")
    op.drop_column("runs", "host")
