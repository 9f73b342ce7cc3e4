"""Splits: who gets which share of a track. Starts the branch of contracts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004_splits"
down_revision = "0002_rates"
branch_labels = ("contracts",)
depends_on = None
# Tracks are Django's. There is no foreign key: a statement outlives a track that its label withdraws.
cross_dependencies = [("default", "streaming", "0003_catalogue")]


def upgrade() -> None:
    # lint: waive foreign-key-without-index for good (sample): a rights holder is never deleted
    op.create_table(
        "royalties_split",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("track_id", sa.BigInteger, nullable=False),
        sa.Column(
            "rights_holder_id", sa.BigInteger, sa.ForeignKey("royalties_rights_holder.id"), nullable=False
        ),
        sa.Column("percent", sa.Numeric(5, 2), nullable=True),
    )
    op.create_index("royalties_split_track", "royalties_split", ["track_id"])


def downgrade() -> None:
    op.drop_table("royalties_split")
