"""
The operations of MongoDB revisions, one kind a module.

What may enter: an operation, with what it sends as data. What may not: the order of steps or the
ledger; the machine of revisions keeps those.
"""

from __future__ import annotations

from mongo_migrations.operations.base import Operation as Operation
from mongo_migrations.operations.batches import RunBatches as RunBatches
from mongo_migrations.operations.batches import UpdateInBatches as UpdateInBatches
from mongo_migrations.operations.collection import CreateCollection as CreateCollection
from mongo_migrations.operations.collection import DropCollection as DropCollection
from mongo_migrations.operations.collection import RenameCollection as RenameCollection
from mongo_migrations.operations.index import CreateIndex as CreateIndex
from mongo_migrations.operations.index import CreateIndexes as CreateIndexes
from mongo_migrations.operations.index import DropIndex as DropIndex
from mongo_migrations.operations.index import Index as Index
from mongo_migrations.operations.python import RunPython as RunPython
from mongo_migrations.operations.validator import SetValidator as SetValidator
