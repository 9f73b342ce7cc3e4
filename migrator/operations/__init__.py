"""
Operations for migrations of Django that change columns and rows while an application uses them.

They run under `migrate_all` and plain `migrate`, on PostgreSQL. See docs/howto/rename-or-retype-a-column.md
and docs/howto/fill-a-column.md.
"""

from migrator.operations.backfill import Backfill
from migrator.operations.begin import BeginColumnChange
from migrator.operations.copying import CopyColumn
from migrator.operations.ending import EndColumnChange

__all__ = ["Backfill", "BeginColumnChange", "CopyColumn", "EndColumnChange"]
