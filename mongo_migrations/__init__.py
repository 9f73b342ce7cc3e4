"""
Versioned changes of MongoDB: revisions, their operations, and the store that applies them.

A revision file needs one import:

    import mongo_migrations as mongo


    class Migration(mongo.Migration):
        operations = [mongo.CreateCollection("playlists")]
"""

from __future__ import annotations

from mongo_migrations.migration import Migration as Migration
from mongo_migrations.operations import CreateCollection as CreateCollection
from mongo_migrations.operations import CreateIndex as CreateIndex
from mongo_migrations.operations import CreateIndexes as CreateIndexes
from mongo_migrations.operations import DropCollection as DropCollection
from mongo_migrations.operations import DropIndex as DropIndex
from mongo_migrations.operations import Index as Index
from mongo_migrations.operations import Operation as Operation
from mongo_migrations.operations import RenameCollection as RenameCollection
from mongo_migrations.operations import RunBatches as RunBatches
from mongo_migrations.operations import RunPython as RunPython
from mongo_migrations.operations import SetValidator as SetValidator
from mongo_migrations.operations import UpdateInBatches as UpdateInBatches

EXTRA = ("mongodb", ("pymongo",))
"""What of the distribution brings the driver; see :mod:`accord.extras`."""
