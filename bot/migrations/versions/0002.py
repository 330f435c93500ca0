"""What had to be postponed, and when it is tried again; what was written to GitHub within the last hour."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "later",
        sa.Column("key", sa.String(length=500), nullable=False),
        sa.Column("workflow", sa.String(length=520), nullable=False),
        sa.Column("line", sa.String(length=300), nullable=False),
        sa.Column("since", sa.Float(), nullable=False),
        sa.Column("due", sa.Float(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=1000), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_index("later_due", "later", ["due"], unique=False)
    op.create_index("later_line", "later", ["line"], unique=False)
    op.create_table(
        "writes",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True),
        sa.Column("line", sa.String(length=120), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("writes_line_at", "writes", ["line", "at"], unique=False)


def downgrade() -> None:
    op.drop_index("writes_line_at", table_name="writes")
    op.drop_table("writes")
    op.drop_index("later_line", table_name="later")
    op.drop_index("later_due", table_name="later")
    op.drop_table("later")
