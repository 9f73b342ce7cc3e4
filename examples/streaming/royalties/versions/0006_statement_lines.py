"""Lines of a statement: where reporting and contracts come together again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006_statement_lines"
down_revision = ("0005_first_rates", "0004_splits")
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "royalties_statement_line",
        sa.Column(
            "statement_id",
            sa.BigInteger,
            sa.ForeignKey("royalties_statement.id", ondelete="CASCADE"),
            primary_key=True,
        ),
        sa.Column("track_id", sa.BigInteger, primary_key=True),
        sa.Column("territory", sa.String(2), primary_key=True),
        sa.Column("streams", sa.BigInteger, nullable=False),
        sa.Column("earned_micros", sa.BigInteger, nullable=False),
    )
    op.add_column("royalties_split", sa.Column("parts_per_million", sa.Integer, nullable=True))


def downgrade() -> None:
    op.drop_column("royalties_split", "parts_per_million")
    op.drop_table("royalties_statement_line")
