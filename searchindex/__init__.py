"""
Revisions of search indexes, on Elasticsearch 8 and 9 and on OpenSearch 2 and 3.

A revision is a file `search_migrations/NNNN_name.py` in any installed app::

    from searchindex import CreateIndex, Migration


    class Migration(Migration):
        operations = [CreateIndex("tracks", mappings={"properties": {"title": {"type": "text"}}})]
"""

from __future__ import annotations

from searchindex.fields import vector_field
from searchindex.migration import Migration
from searchindex.operations import (
    AddAlias,
    CreateIndex,
    DeleteTemplate,
    DropIndex,
    PutMapping,
    PutSettings,
    PutTemplate,
    PythonContext,
    Reindex,
    RemoveAlias,
    RunPython,
    SwitchAlias,
)

__all__ = [
    "AddAlias",
    "CreateIndex",
    "DeleteTemplate",
    "DropIndex",
    "Migration",
    "PutMapping",
    "PutSettings",
    "PutTemplate",
    "PythonContext",
    "Reindex",
    "RemoveAlias",
    "RunPython",
    "SwitchAlias",
    "vector_field",
]
