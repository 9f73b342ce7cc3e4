"""Errors of Django and its drivers in the suite's words: translated once, here, and chained."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import DatabaseError, IntegrityError, InterfaceError, NotSupportedError, connections
from django.db.migrations.exceptions import IrreversibleError

from accord import connecting
from accord.causes import root_of
from accord.errors import (
    AccordError,
    ConflictingState,
    IrreversibleStep,
    StepFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
    UnsupportedServer,
)
from accord.seam.stores import StoreInfo
from accord.seam.types import Step
from accord.secrets.redact import address, first_line
from migrator.relational.places import place_in
from migrator.relational.vendors import vendor_of

# Code that speaks of the schema alone; elsewhere a message may quote what a row holds.
_SCHEMA_CODE = (
    "django.apps",
    "django.db.migrations",
    "django.db.backends.base.schema",
    "django.db.backends.postgresql.schema",
    "django.contrib.postgres.operations",
    "django_mongodb_backend.schema",
)


@contextmanager
def translated(alias: str) -> Iterator[None]:
    """
    Turn errors about reaching a database into the suite's.

    Raises:
        StoreUnavailable: It can't be reached.
        StoreRefused: It rejects our credentials.
        UnsupportedServer: It is too old for Django or for us.
    """
    try:
        yield
    except AccordError:
        raise
    except NotSupportedError as exc:
        raise UnsupportedServer(
            f"The store “{alias}”: {first_line(exc)}.",
            hint="Upgrade the server, or point the alias at a newer one.",
        ) from exc
    except Exception as exc:
        unreachable = _unreachable(alias, exc)
        if unreachable is None:
            raise
        raise unreachable from exc


@contextmanager
def translated_leaving(alias: str) -> Iterator[None]:
    """
    Turn what a database refuses when the suite is taken out into the suite's errors.

    Raises:
        StoreUnavailable: It can't be reached, or doesn't let us work.
        StoreError: It refuses; something else may depend on what the suite keeps.
    """
    try:
        with translated(alias):
            yield
    except DatabaseError as exc:
        raise StoreError(
            f"What Accord keeps in “{alias}” can't be taken out: {first_line(exc)}.",
            hint="Nothing of this database was taken out. Remove what depends on it (a view, a foreign key, "
            "a trigger of your own), or give the right, then run the same command again.",
        ) from exc


def _nothing_known(_: Step) -> str:
    """Know nothing of rows."""
    return ""


@contextmanager
def translated_step(step: Step, rows: Callable[[Step], str] = _nothing_known) -> Iterator[None]:
    """
    Turn whatever a migration raises into the suite's errors. Nothing personal gets into a message.

    Args:
        step: The step.
        rows: Names the rows that a constraint of it is refused by, in sentences.

    Raises:
        StoreUnavailable: The connection broke, or there was none.
        ConflictingState: Something of the name is there already.
        IrreversibleStep: An operation has no reverse.
        StepFailed: Anything else.
    """
    alias = step.key.store
    try:
        yield
    except AccordError:
        raise
    except IrreversibleError as exc:
        raise IrreversibleStep(f"Step {step.key} can't be undone: {exc}.", hint=_FORWARD) from exc
    except DatabaseError as exc:
        told = rows(step) if isinstance(exc, IntegrityError) else ""
        raise _database_failure(step, exc, told) from exc
    except InterfaceError as exc:
        connections[alias].close()
        trouble = vendor_of(connections[alias]).trouble(exc) or connecting.ENDED
        raise trouble.error(_named(alias), alias, exc) from exc
    except Exception as exc:
        vendor = vendor_of(connections[alias])
        # A migration's Python may have used the driver itself.
        of_server = vendor.trouble(exc) or vendor.limit(exc)
        raise (_database_failure(step, exc) if of_server else _code_failure(step, exc)) from exc


@contextmanager
def translated_signal(alias: str, signal: str) -> Iterator[None]:
    """
    Turn what a receiver of one of Django's signals raises into the suite's errors.

    Raises:
        StoreUnavailable: The database can't be reached.
        StepFailed: A receiver failed.
    """
    try:
        with translated(alias):
            yield
    except AccordError:
        raise
    except Exception as exc:
        frame = traceback.extract_tb(exc.__traceback__)[-1]
        raise StepFailed(
            f"A receiver of {signal} failed on “{alias}”: {type(exc).__name__} at {frame.filename}, "
            f"line {frame.lineno}.",
            hint="Correct the receiver, then run the same command again; --traceback shows the whole error.",
        ) from exc


_FORWARD = "Write a migration that goes forward to the wanted state instead."


def info(alias: str, kind: str, version: str) -> StoreInfo:
    """Describe a database for people."""
    return StoreInfo(alias=alias, kind=kind, version=version, address=place_of(alias))


def place_of(alias: str) -> str:
    """Return host and port of a database, or its file or socket: nothing secret."""
    settings = connections.databases[alias]
    host = str(settings.get("HOST") or "")
    if "://" in host:
        return address(host)
    port = settings.get("PORT")
    return f"{host or 'localhost'}:{port}" if port else host or str(settings.get("NAME") or "")


def _unreachable(alias: str, error: Exception) -> StoreUnavailable | None:
    trouble = vendor_of(connections[alias]).trouble(error)
    return None if trouble is None else trouble.error(_named(alias), alias, error)


def _named(alias: str) -> str:
    return f"The store “{alias}” at {place_of(alias)}"


def read_only(alias: str) -> StoreRefused:
    """Return the error about a server that takes no writes, which its settings don't tell."""
    return StoreRefused(
        f"The store “{alias}” at {place_of(alias)} takes no writes: a replica, or read-only by default.",
        hint=f"If it is a copy, set DATABASES['{alias}']['TEST'] = {{'MIRROR': its primary}}, or keep "
        "migrations off it with a router; it is left out then. Else name the stores to migrate with --store.",
    )


def _database_failure(step: Step, error: Exception, rows: str = "") -> AccordError:
    connection = connections[step.key.store]
    vendor = vendor_of(connection)
    trouble = vendor.trouble(error)
    if trouble is not None and not trouble.refused:
        connection.close()
        return trouble.error(_named(step.key.store), step.key.store, error)
    said = _without_data(error) if vendor.is_about_data(error) else first_line(error)
    if trouble is not None:
        return StepFailed(
            f"Step {step.key} failed: the server {trouble.says}: {said}.",
            hint=trouble.hint.format(where=f"DATABASES['{step.key.store}']"),
        )
    if vendor.is_conflict(error):
        return ConflictingState(
            f"Step {step.key} would create what exists already: {first_line(root_of(error))}.",
            hint="Rename or remove it; or, if it is what the migration describes, adopt it: "
            f"migrate_all --baseline --step {step.key}",
        )
    if limit := vendor.limit(error):
        return StepFailed(f"Step {step.key} failed: the server {limit.says} ({said}).", hint=limit.hint)
    return StepFailed(
        f"Step {step.key} failed: {said}.{rows}",
        hint="Correct the migration or the data, then run the same command again.",
    )


def _without_data(error: Exception) -> str:
    cause = root_of(error)
    code = getattr(cause, "pgcode", None) or getattr(cause, "code", None)
    return f"{type(cause).__name__}" + (f" (code {code})" if code else "")


def _code_failure(step: Step, error: Exception) -> StepFailed:
    """Name the class and the line; what it says may quote personal data."""
    said = f": {first_line(error)}" if _speaks_of_schema(error) else ""
    return StepFailed(
        f"Step {step.key} failed: {type(error).__name__} at {place_in(step, error)}{said}.",
        hint="Correct the migration or the data, then run again; --traceback shows the whole error.",
    )


def _speaks_of_schema(error: Exception) -> bool:
    trace = error.__traceback__
    module = ""
    while trace is not None:
        module = trace.tb_frame.f_globals.get("__name__", "")
        trace = trace.tb_next
    return module.startswith(_SCHEMA_CODE)
