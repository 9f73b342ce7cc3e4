"""Statements: what a rights holder earned in a month. Starts the branch of reporting."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003_statements"
down_revision = "0002_rates"
branch_labels = ("reporting",)
depends_on = None


def upgrade() -> None:
    op.create_table(
        "royalties_statement",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column(
            "rights_holder_id", sa.BigInteger, sa.ForeignKey("royalties_rights_holder.id"), nullable=False
        ),
        sa.Column("month", sa.Date, nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.UniqueConstraint("rights_holder_id", "month", name="royalties_statement_one_a_month"),
    )


def downgrade() -> None:
    op.drop_table("royalties_statement")
