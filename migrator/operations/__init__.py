"""
Operations for migrations of Django that change a column while two releases of an application use it.

They run under `migrate_all` and plain `migrate`, on PostgreSQL. See docs/howto/rename-or-retype-a-column.md.
"""

from migrator.operations.begin import BeginColumnChange
from migrator.operations.copying import CopyColumn
from migrator.operations.ending import EndColumnChange

__all__ = ["BeginColumnChange", "CopyColumn", "EndColumnChange"]
