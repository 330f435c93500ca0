"""Which revision of a run was told of, and indices that keep pages and sweeps from reading history."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

UNTOLD, FIRST, WHOLE = sa.text("told < revision AND ref <> ''"), sa.text("number = 1"), sa.text("share = 100")
MODEL, TABLES = ["project", "model"], ("runs", "versions", "champions", "windows")


def upgrade() -> None:
    op.add_column("runs", sa.Column("told", sa.Integer(), server_default="-1", nullable=False))
    # Of what ended before this version, all was told or given up; open runs are told once more, which changes nothing.
    op.execute("UPDATE runs SET told = revision WHERE ended IS NOT NULL")
    op.create_index("runs_untold", "runs", ["id"], sqlite_where=UNTOLD, postgresql_where=UNTOLD)
    op.create_index("versions_first", "versions", ["number", *MODEL], sqlite_where=FIRST, postgresql_where=FIRST)
    op.create_index("champions_whole", "champions", [*MODEL, "id"], sqlite_where=WHOLE, postgresql_where=WHOLE)
    if op.get_bind().dialect.name == "postgresql":
        # A model is in one repository, mostly: who takes the two for independent expects a hundredth of the rows.
        for table in TABLES:
            op.execute(f"CREATE STATISTICS {table}_models (dependencies) ON project, model FROM {table}")


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for table in TABLES:
            op.execute(f"DROP STATISTICS {table}_models")
    op.drop_index("champions_whole", table_name="champions")
    op.drop_index("versions_first", table_name="versions")
    op.drop_index("runs_untold", table_name="runs")
    op.drop_column("runs", "told")
