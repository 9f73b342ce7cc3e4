"""Rates: what one stream earns in a territory, from a day on."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002_rates"
down_revision = "0001_rights_holders"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "royalties_rate",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("territory", sa.String(2), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("micros_per_stream", sa.Integer, nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.CheckConstraint("micros_per_stream >= 0", name="royalties_rate_not_negative"),
    )


def downgrade() -> None:
    op.drop_table("royalties_rate")
