"""Fingerprints of trainings: what went in, what came out."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "fingerprints",
        sa.Column("run", sa.Integer(), nullable=False),
        sa.Column("seed", sa.Integer(), nullable=False),
        sa.Column("project", sa.String(length=200), nullable=False),
        sa.Column("model", sa.String(length=63), nullable=False),
        sa.Column("inputs", sa.String(length=64), nullable=False),
        sa.Column("files", sa.String(length=64), nullable=False),
        sa.Column("answers", sa.String(length=64), nullable=False),
        sa.Column("metric", sa.String(length=32), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.ForeignKeyConstraint(["run"], ["runs.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("run", "seed"),
    )
    op.create_index("fingerprints_inputs", "fingerprints", ["project", "model", "inputs"])
    op.create_index("fingerprints_model", "fingerprints", ["project", "model", "run"])


def downgrade() -> None:
    op.drop_index("fingerprints_model", table_name="fingerprints")
    op.drop_index("fingerprints_inputs", table_name="fingerprints")
    op.drop_table("fingerprints")
