"""Rights holders: whoever gets a share of what a track earns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001_rights_holders"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "royalties_rights_holder",
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("ipi_number", sa.String(11), nullable=True, unique=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("royalties_rights_holder_name", "royalties_rights_holder", ["name"])


def downgrade() -> None:
    op.drop_table("royalties_rights_holder")
