"""
Operations for migrations of Django, which run under `migrate_all` and plain `migrate`.

Three change a column while two releases of an application use it (docs/howto/rename-or-retype-a-column.md);
one fills columns of the rows that stand (docs/howto/fill-a-column.md); one moves a model to another app
(docs/howto/move-a-model.md). Two begin a job in batches, and go on only once it is done
(docs/howto/outgrow-one-machine.md). One divides a model's table into partitions
(docs/howto/partition-a-large-table.md).
"""

from migrator.operations.backfill import Backfill
from migrator.operations.begin import BeginColumnChange
from migrator.operations.copying import CopyColumn
from migrator.operations.ending import EndColumnChange
from migrator.operations.jobs import BeginBatches, RequireBatches
from migrator.operations.model import MoveModel
from migrator.operations.partitioning import PartitionModel

__all__ = [
    "Backfill",
    "BeginBatches",
    "BeginColumnChange",
    "CopyColumn",
    "EndColumnChange",
    "MoveModel",
    "PartitionModel",
    "RequireBatches",
]
