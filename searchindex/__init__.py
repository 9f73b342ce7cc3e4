"""
Revisions of search indexes, on Elasticsearch 8 and 9 and on OpenSearch 2 and 3.

A revision is a file `search_migrations/NNNN_name.py` in any installed app::

    import searchindex as search


    class Migration(search.Migration):
        operations = [search.CreateIndex("tracks", mappings={"properties": {"title": {"type": "text"}}})]

The names below are loaded when they are first used: most runs have nothing to do, and shall
not pay for operations that no revision names.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from searchindex.fields import vector_field
    from searchindex.migration import Migration
    from searchindex.operations.adopt import AdoptIndex
    from searchindex.operations.alias import AddAlias, RemoveAlias, SwitchAlias
    from searchindex.operations.drop import DropIndex
    from searchindex.operations.index import CreateIndex
    from searchindex.operations.mapping import PutMapping
    from searchindex.operations.python import PythonContext, RunPython
    from searchindex.operations.reindex import Reindex
    from searchindex.operations.settings import PutSettings
    from searchindex.operations.template import DeleteTemplate, PutTemplate

__all__ = [
    "AddAlias",
    "AdoptIndex",
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

EXTRA = ("search", ("elasticsearch", "elastic_transport", "urllib3"))
"""What of the distribution brings the drivers; see :mod:`accord.extras`."""

_HOMES = {
    "AddAlias": "operations.alias",
    "AdoptIndex": "operations.adopt",
    "CreateIndex": "operations.index",
    "DeleteTemplate": "operations.template",
    "DropIndex": "operations.drop",
    "Migration": "migration",
    "PutMapping": "operations.mapping",
    "PutSettings": "operations.settings",
    "PutTemplate": "operations.template",
    "PythonContext": "operations.python",
    "Reindex": "operations.reindex",
    "RemoveAlias": "operations.alias",
    "RunPython": "operations.python",
    "SwitchAlias": "operations.alias",
    "vector_field": "fields",
}


def __getattr__(name: str) -> Any:
    """Load a public name from the module that holds it, and keep it."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    """List the public names, those not loaded yet among them."""
    return sorted({*globals(), *__all__})
