"""Schema editors that go on where a kill left an operation half done, without transactions (MongoDB)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from accord.causes import root_of


@cache
def editor_class(base: type[BaseDatabaseSchemaEditor]) -> Any:
    """Return a backend's schema editor, with what is done already left out."""
    return type("ResumingSchemaEditor", (_Resuming, base), {})


class _Resuming(BaseDatabaseSchemaEditor):
    """
    Part of a schema editor whose every act may have been done before by a run that was killed.

    Only used for an operation whose object was looked for, and not there, before the
    killed run began with it: what is found now is that run's own work. It leaves out what is
    done and does what is missing.
    """

    def create_model(self, model: Any) -> None:
        if model._meta.db_table not in self.connection.introspection.table_names():
            super().create_model(model)
            return
        editor: Any = self
        editor._create_model_indexes(model)  # noqa: SLF001 - the backend's own next step of this method
        for field in model._meta.local_many_to_many:
            if field.remote_field.through._meta.auto_created:
                self.create_model(field.remote_field.through)

    def remove_index(self, model: Any, index: Any) -> None:
        with suppress_missing_index():
            super().remove_index(model, index)

    def alter_db_table(self, model: Any, old_db_table: str, new_db_table: str) -> None:
        if old_db_table in self.connection.introspection.table_names():
            super().alter_db_table(model, old_db_table, new_db_table)

    def _remove_composed_index(self, *args: Any, **kwargs: Any) -> None:
        self._unless_gone("_remove_composed_index", args, kwargs)

    def _remove_field_index(self, *args: Any, **kwargs: Any) -> None:
        self._unless_gone("_remove_field_index", args, kwargs)

    def _remove_field_unique(self, *args: Any, **kwargs: Any) -> None:
        self._unless_gone("_remove_field_unique", args, kwargs)

    def _unless_gone(self, method: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        """Call a method of the backend, which raises ValueError when it finds no index to drop."""
        with suppress(ValueError):
            getattr(super(), method)(*args, **kwargs)


class suppress_missing_index:  # noqa: N801 - reads as the context manager that it is
    """Pass over MongoDB's answer that an index to drop isn't there."""

    INDEX_NOT_FOUND = 27

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        return getattr(root_of(error), "code", None) == self.INDEX_NOT_FOUND if error else False
