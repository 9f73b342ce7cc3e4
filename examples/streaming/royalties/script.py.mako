"""${message.replace("\\", "\\\\").replace('"', '\\"')}"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}

# Who answers for it, such as the name of a team.
owner = ""
# Steps of other stores that must be applied before, as ("store", "app", "name").
cross_dependencies = []
# expand: before the deploy · backfill: around it · contract: after it
phase = "expand"
# Where it is so: irreversible = "why it can't be undone"


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
