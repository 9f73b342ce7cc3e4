"""First rates of the territories that the service opened in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005_first_rates"
down_revision = "0003_statements"
branch_labels = None
depends_on = None
phase = "backfill"

RATES = (
    ("FR", 3400, "EUR"),
    ("DE", 3600, "EUR"),
    ("GB", 3900, "GBP"),
    ("EG", 700, "EGP"),
    ("JP", 4100, "JPY"),
)


def upgrade() -> None:
    rate = sa.table(
        "royalties_rate",
        sa.column("territory", sa.String),
        sa.column("valid_from", sa.Date),
        sa.column("micros_per_stream", sa.Integer),
        sa.column("currency", sa.String),
    )
    for territory, micros, currency in RATES:
        op.execute(
            rate.insert().values(
                territory=territory,
                valid_from=sa.text("DATE '2020-01-01'"),
                micros_per_stream=micros,
                currency=currency,
            )
        )


def downgrade() -> None:
    op.execute("DELETE FROM royalties_rate WHERE valid_from = DATE '2020-01-01'")
