"""The inbox of the first release."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "inbox",
        sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("CURRENT_TIMESTAMP"), nullable=False),
        sa.Column("dispatched", sa.SmallInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("claimed", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index(
        "inbox_waiting",
        "inbox",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("dispatched = 0"),
        postgresql_where=sa.text("dispatched = 0"),
    )


def downgrade() -> None:
    op.drop_index(
        "inbox_waiting",
        table_name="inbox",
        sqlite_where=sa.text("dispatched = 0"),
        postgresql_where=sa.text("dispatched = 0"),
    )
    op.drop_table("inbox")
