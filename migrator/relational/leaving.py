"""
What the suite keeps in a database of Django's settings, and taking it out.

An app that holds evidence stays whole unless the evidence goes, too: half of its tables would be no
use to anybody, and a later installation would find its rows in django_migrations and not its tables.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.apps import AppConfig, apps
from django.db import connections, models
from django.db.migrations.recorder import MigrationRecorder
from django.db.models.deletion import Collector

from accord import guards
from accord.errors import ConfigurationError
from accord.seam.traces import Trace
from accord.seam.types import Lease
from migrator.relational import before
from migrator.relational.entries import (
    BackfillRow,
    FenceRow,
    ImportRow,
    LedgerEntry,
    MarkRow,
    ObjectRow,
)
from migrator.relational.ledger import Ledger
from migrator.relational.loader import FOUNDATION, DiskLoader
from migrator.relational.locking import limit

_CONTENT_TYPES = "django_content_type"
_BOOKS = (LedgerEntry, ObjectRow, BackfillRow, MarkRow, ImportRow, FenceRow)


@dataclass(frozen=True)
class Leaving:
    """
    One database that the suite is taken out of.

    Attributes:
        alias: The database.
        disk: Migrations as read from disk.
    """

    alias: str
    disk: DiskLoader

    def traces(self) -> Iterator[Trace]:
        """Look what is there."""
        self._refuse_unknown_apps()
        kept = self.kept()
        for label, models_there in self._models.items():
            for model in models_there:
                yield self._table(model, evidence=label in kept)
        for labels, evidence in ((self._labels - kept, False), (kept, True)):
            yield from self._beside(labels, evidence=evidence)
        for each in before.waiting(self.alias):
            yield Trace(what=f"table {each.name}", number=each.rows, unit="row", evidence=False)
        for model in _BOOKS:
            if model._meta.db_table in self._tables:
                yield self._table(model)

    def kept(self) -> frozenset[str]:
        """Return the apps that hold evidence, and the suite's apps that those need."""
        found = {
            label
            for label, models_there in self._models.items()
            if any(self._is_evidence(model) and self._rows(model).exists() for model in models_there)
        }
        while more := self._needed_by(found) - found:
            found |= more
        return frozenset(found)

    def take_out(self, ledger: Ledger, lease: Lease, *, evidence: bool, seconds: float | None = None) -> None:
        """
        Take it out, in one transaction where the database has them.

        Args:
            ledger: Our books in this database.
            lease: The right to write.
            evidence: Take apps out that hold evidence, too.
            seconds: How long a statement may wait for a lock; None for what the server's settings say.

        Raises:
            StaleFence: A later run has written to the ledger. Nothing was changed.
        """
        self._refuse_unknown_apps()
        going = self._labels - (frozenset() if evidence else self.kept())
        with ledger.transaction():
            if FenceRow._meta.db_table in self._tables:
                ledger.claim(lease)
            limit(connections[self.alias], seconds)
            self._drop_tables(going)
            self._drop_functions(going)
            self._content_types(going).delete()
            self._recorded(going).delete()
            self._drop_ledger()

    # --- looking ---------------------------------------------------------------------

    @cached_property
    def _tables(self) -> frozenset[str]:
        return frozenset(connections[self.alias].introspection.table_names())

    @cached_property
    def _labels(self) -> frozenset[str]:
        return FOUNDATION & {config.label for config in apps.get_app_configs()}

    @cached_property
    def _models(self) -> Mapping[str, Sequence[type[models.Model]]]:
        """Return the suite's models whose tables are there, by app."""
        found = {label: apps.get_app_config(label) for label in sorted(self._labels)}
        return {label: self._with_table(config) for label, config in found.items()}

    def _with_table(self, config: AppConfig) -> Sequence[type[models.Model]]:
        every = config.get_models(include_auto_created=True)
        return [model for model in every if model._meta.db_table in self._tables]

    def _refuse_unknown_apps(self) -> None:
        """
        Make sure that each app of the suite that was applied here is installed.

        Raises:
            ConfigurationError: One isn't, so that what it keeps can't be told.
        """
        for label in sorted(FOUNDATION - self._labels):
            if self._recorded([label]).exists():
                raise ConfigurationError(
                    f"“{label}” was applied to “{self.alias}” and is not in INSTALLED_APPS: what it keeps "
                    "there can't be told.",
                    hint=f"Put “{label}” back into INSTALLED_APPS until this is done.",
                )

    def _table(self, model: type[models.Model], *, evidence: bool = False) -> Trace:
        number = self._rows(model).count()
        return Trace(what=f"table {model._meta.db_table}", number=number, unit="row", evidence=evidence)

    def _rows(self, model: type[models.Model]) -> models.QuerySet[Any]:
        return model._base_manager.using(self.alias)

    def _is_evidence(self, model: type[models.Model]) -> bool:
        config = apps.get_app_config(model._meta.app_label)
        return model._meta.object_name in getattr(config, "evidence", ())

    def _needed_by(self, labels: Collection[str]) -> set[str]:
        migrations = self.disk.migrations.items()
        needed = {parent[0] for (app, _), one in migrations if app in labels for parent in one.dependencies}
        return needed & self._labels

    def _beside(self, labels: Collection[str], *, evidence: bool) -> Iterator[Trace]:
        """Yield what belongs to apps and is in no table of theirs."""
        for name in self._functions(labels):
            yield Trace(what=f"function {name}()", number=1, unit="function", evidence=evidence)
        for table, number in sorted(self._rows_about(labels).items()):
            yield Trace(what=f"rows in {table}", number=number, unit="row", evidence=evidence)
        recorded = self._recorded(labels).count()
        if recorded:
            table = MigrationRecorder.Migration._meta.db_table
            yield Trace(what=f"rows in {table}", number=recorded, unit="row", evidence=evidence)

    def _functions(self, labels: Collection[str]) -> Sequence[str]:
        connection = connections[self.alias]
        named = [name for label in labels for name in _declared_functions(label)]
        if connection.vendor != "postgresql" or not named:
            return ()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT name FROM unnest(%s::text[]) AS named(name) WHERE to_regproc(name) IS NOT NULL "
                "ORDER BY name",
                [named],
            )
            return [name for (name,) in cursor.fetchall()]

    def _rows_about(self, labels: Collection[str]) -> Mapping[str, int]:
        """Count content types of apps, and all that goes with them, by table."""
        found = self._content_types(labels)
        numbers: Counter[str] = Counter()
        collector = Collector(using=self.alias)
        if found:
            collector.collect(found)
        for model, rows in collector.data.items():
            numbers[model._meta.db_table] += len(rows)
        for quick in collector.fast_deletes:
            if isinstance(quick, models.QuerySet):
                numbers[quick.model._meta.db_table] += quick.count()
        return +numbers

    def _content_types(self, labels: Collection[str]) -> models.QuerySet[Any]:
        if not apps.is_installed("django.contrib.contenttypes") or _CONTENT_TYPES not in self._tables:
            return LedgerEntry._default_manager.using(self.alias).none()
        from django.contrib.contenttypes.models import ContentType

        return ContentType.objects.using(self.alias).filter(app_label__in=labels)

    def _recorded(self, labels: Collection[str]) -> models.QuerySet[Any]:
        rows = MigrationRecorder.Migration.objects.using(self.alias)
        there = MigrationRecorder.Migration._meta.db_table in self._tables
        return rows.filter(app__in=labels) if there else rows.none()

    # --- acting ----------------------------------------------------------------------

    def _drop_tables(self, labels: Collection[str]) -> None:
        """Drop the tables of apps in one statement: they refer to each other, and nothing else may."""
        connection = connections[self.alias]
        names = [model._meta.db_table for label in sorted(labels) for model in self._models[label]]
        if names:
            quoted = ", ".join(connection.ops.quote_name(name) for name in names)
            with connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {quoted}")

    def _drop_functions(self, labels: Collection[str]) -> None:
        connection = connections[self.alias]
        for name in self._functions(labels):
            with connection.cursor() as cursor:
                cursor.execute(f"DROP FUNCTION {connection.ops.quote_name(name)}()")

    def _drop_ledger(self) -> None:
        """Drop our books; the fence last, which keeps an earlier run from writing."""
        for each in before.waiting(self.alias):
            before.drop(connections[self.alias], each.name)
        for model in _BOOKS:
            if model._meta.db_table in self._tables:
                with connections[self.alias].schema_editor() as editor:
                    editor.delete_model(model)


def _declared_functions(label: str) -> Collection[str]:
    found = guards.declared().get(label)
    return found.functions if found is not None else ()
