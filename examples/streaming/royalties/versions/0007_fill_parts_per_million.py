"""Shares in parts per million, from the percentages: a third of a song has no two digits."""

from __future__ import annotations

from alembic import op

revision = "0007_fill_parts_per_million"
down_revision = "0006_statement_lines"
branch_labels = None
depends_on = None
phase = "backfill"


def upgrade() -> None:
    op.execute(
        "UPDATE royalties_split SET parts_per_million = CAST(percent * 10000 AS integer)"
        " WHERE parts_per_million IS NULL"
    )


def downgrade() -> None:
    """Leave the new column filled: the old one still holds what it held."""
