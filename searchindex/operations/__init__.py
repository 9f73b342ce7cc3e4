"""The operations of search revisions, one noun a module."""

from __future__ import annotations

from searchindex.operations.alias import AddAlias, RemoveAlias, SwitchAlias
from searchindex.operations.base import Context, Operation
from searchindex.operations.index import CreateIndex, DropIndex
from searchindex.operations.mapping import PutMapping
from searchindex.operations.python import PythonContext, RunPython
from searchindex.operations.reindex import Reindex
from searchindex.operations.settings import PutSettings
from searchindex.operations.template import DeleteTemplate, PutTemplate

__all__ = [
    "AddAlias",
    "Context",
    "CreateIndex",
    "DeleteTemplate",
    "DropIndex",
    "Operation",
    "PutMapping",
    "PutSettings",
    "PutTemplate",
    "PythonContext",
    "Reindex",
    "RemoveAlias",
    "RunPython",
    "SwitchAlias",
]
