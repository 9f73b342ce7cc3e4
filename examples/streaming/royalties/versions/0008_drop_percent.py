"""No more percentages: nothing reads them since shares are parts per million."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008_drop_percent"
down_revision = "0007_fill_parts_per_million"
branch_labels = None
depends_on = None
phase = "contract"


def upgrade() -> None:
    # lint: waive column-not-null for good (sample): a few thousand splits are read in milliseconds
    op.alter_column("royalties_split", "parts_per_million", existing_type=sa.Integer, nullable=False)
    op.drop_column("royalties_split", "percent")


def downgrade() -> None:
    op.add_column("royalties_split", sa.Column("percent", sa.Numeric(5, 2), nullable=True))
    op.execute("UPDATE royalties_split SET percent = round(parts_per_million / 10000.0, 2)")
    op.alter_column("royalties_split", "parts_per_million", existing_type=sa.Integer, nullable=True)
