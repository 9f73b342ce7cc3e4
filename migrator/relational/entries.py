"""
What stands in the ledger of a relational store: a row for each migration, and how far one got.

The tables, and that of the marks, are made on the first write by :mod:`migrator.relational.ledger`; no
migration of any app knows them, so their models belong to a registry of their own.
"""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.apps.registry import Apps
from django.db import models

from accord.errors import LedgerNotUnderstood
from accord.seam.marks import LONGEST_NAME
from accord.seam.types import BegunStep, Direction, StepKey
from migrator.relational.loader import Name


class RowState(enum.StrEnum):
    """Where a step stands in our own table."""

    APPLIED = "applied"
    APPLYING = "applying"
    """Begun, and can't be one transaction; `position` says how far it is."""
    REVERTING = "reverting"
    """As above, on the way back."""
    ADOPTED = "adopted"
    """Applied: a baseline found it there."""
    RECORDED = "recorded"
    """Applied: a person said so."""

    @property
    def is_whole(self) -> bool:
        """Return whether nothing of the step is under way."""
        return self not in (RowState.APPLYING, RowState.REVERTING)

    @property
    def is_outside(self) -> bool:
        """Return whether the step came there without a run of ours doing it."""
        return self in (RowState.ADOPTED, RowState.RECORDED)


def state_of(alias: str, name: Name, word: str) -> RowState:
    """
    Read the word for where a step stands.

    Raises:
        LedgerNotUnderstood: It is none of those that this version knows.
    """
    try:
        return RowState(word)
    except ValueError as exc:
        raise LedgerNotUnderstood(
            f"The table accord_ledger of “{alias}” says of {name[0]}.{name[1]} that it is “{word}”, "
            "which this version doesn't know.",
            hint="Was it written by a newer version, or by hand? Run the version that wrote it, or "
            "restore it.",
        ) from exc


_apps = Apps()


class LedgerEntry(models.Model):
    """One migration that we applied or are about to apply."""

    id = models.CharField(max_length=64, primary_key=True)
    app = models.CharField(max_length=255)
    name = models.CharField(max_length=255)
    state = models.CharField(max_length=16)
    position = models.IntegerField(default=0)
    in_flight = models.BooleanField(default=False)
    done = models.CharField(max_length=64, default="")
    checksum = models.CharField(max_length=128)
    fingerprint = models.CharField(max_length=64)
    run_id = models.CharField(max_length=64)
    fence = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        apps = _apps
        app_label = "accord_ledger"
        db_table = "accord_ledger"

    def __str__(self) -> str:
        return f"{self.app}.{self.name}: {self.state}"


class FenceRow(models.Model):
    """The highest fencing token that this database has seen."""

    id = models.CharField(max_length=64, primary_key=True)
    fence = models.BigIntegerField()

    class Meta:
        apps = _apps
        app_label = "accord_ledger"
        db_table = "accord_fence"

    def __str__(self) -> str:
        return f"{self.id}: {self.fence}"


class MarkRow(models.Model):
    """Something that this database keeps about itself: see :mod:`accord.seam.marks`."""

    id = models.CharField(max_length=LONGEST_NAME, primary_key=True)
    form = models.IntegerField()
    value = models.TextField()
    fence = models.BigIntegerField()

    class Meta:
        apps = _apps
        app_label = "accord_ledger"
        db_table = "accord_mark"

    def __str__(self) -> str:
        return f"{self.id}: {self.value}"


class ObjectRow(models.Model):
    """One text of an object that is replaced as a whole; the one of the highest number stands."""

    id = models.CharField(max_length=64, primary_key=True)
    app = models.CharField(max_length=255)
    file = models.CharField(max_length=255)
    number = models.IntegerField()
    name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    text = models.TextField()
    needs = models.TextField()
    live = models.CharField(max_length=128)
    beside = models.CharField(max_length=64)
    how = models.CharField(max_length=16)
    run_id = models.CharField(max_length=64)
    fence = models.BigIntegerField()
    recorded_at = models.DateTimeField()

    class Meta:
        apps = _apps
        app_label = "accord_ledger"
        db_table = "accord_object"

    def __str__(self) -> str:
        return f"{self.app}.{self.name}: {self.how}"


class ImportRow(models.Model):
    """How far an import in bulk is, beside the rows that it wrote."""

    id = models.CharField(max_length=64, primary_key=True)
    target = models.CharField(max_length=255)
    part = models.IntegerField()
    place = models.BigIntegerField()
    line = models.BigIntegerField()
    written = models.BigIntegerField()
    erased = models.BigIntegerField()
    dead = models.BigIntegerField()
    dead_bytes = models.BigIntegerField()
    finished = models.BooleanField()
    changed_at = models.DateTimeField()

    class Meta:
        apps = _apps
        app_label = "accord_ledger"
        db_table = "accord_import"

    def __str__(self) -> str:
        return f"{self.target}: {self.written}"


class BackfillRow(models.Model):
    """How far one operation has gone through the rows of its table."""

    id = models.CharField(max_length=64, primary_key=True)
    app = models.CharField(max_length=255)
    what = models.CharField(max_length=255)
    at = models.JSONField(null=True)
    until = models.JSONField(null=True)
    done = models.BigIntegerField(default=0)
    finished = models.BooleanField(default=False)
    kept = models.CharField(max_length=255, default="")
    kept_until = models.DateTimeField(null=True)
    written_at = models.DateTimeField()

    class Meta:
        apps = _apps
        app_label = "accord_ledger"
        db_table = "accord_backfill"

    def __str__(self) -> str:
        return f"{self.app}: {self.what}"


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a migration is that can't be one transaction.

    Attributes:
        state: The way it was going.
        position: Substeps that are done, counted from the first.
        in_flight: True when the next one was begun and its end was not recorded.
        done: Digest of the descriptions of the substeps that are done.
    """

    state: RowState
    position: int = 0
    in_flight: bool = False
    done: str = ""


def entry_id(name: Name) -> str:
    """Return the key of a migration's row: of one length, however long the names are."""
    return hashlib.sha256(f"{name[0]}.{name[1]}".encode()).hexdigest()


@dataclass(frozen=True)
class Row:
    """A row of our table, in the order of its fields in what is read."""

    store: str
    app: str
    name: str
    checksum: str
    fingerprint: str
    run_id: str
    fence: int
    state: str
    written: datetime
    position: int

    @property
    def key(self) -> StepKey:
        return StepKey(self.store, self.app, self.name)

    def refuse_unknown(self) -> None:
        """Make sure that we know the word for the state; a row without a name is another store's."""
        if self.app:
            state_of(self.store, (self.app, self.name), self.state)

    def is_begun(self, at: datetime | None) -> bool:
        """Check whether it waits for its end; `at` is the time in Django's table, None if it isn't there."""
        if self.state == RowState.APPLYING:
            # In Django's table it is applied: by Django's own command, or by us a moment before the end.
            return at is None
        return self.state == RowState.REVERTING and (at is None or self.written >= at)

    def begun(self) -> BegunStep:
        return BegunStep(
            key=self.key,
            direction=Direction.APPLY if self.state == RowState.APPLYING else Direction.REVERT,
            done=self.position,
            partly=self.state == RowState.APPLYING,
            run_id=self.run_id,
        )
