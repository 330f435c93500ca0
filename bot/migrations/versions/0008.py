"""Who has asked for something lately."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "asked",
        sa.Column("event", sa.String(length=400), nullable=False),
        sa.Column("who", sa.String(length=300), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("granted", sa.Boolean(), nullable=False),
        sa.Column("free", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("event"),
    )
    op.create_index("asked_who_at", "asked", ["who", "at"])


def downgrade() -> None:
    op.drop_table("asked")
