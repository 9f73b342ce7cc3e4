"""`partition`: its acts and flags, and how each is carried out under a lease and put on record."""

from __future__ import annotations

import secrets
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

from django.db import connections, transaction

from accord import conf, db, isolation, lease
from accord.acting import Account, actor
from accord.audit import trail
from accord.audit.events import EventKind, ObjectKind
from accord.cli.answer import Answer
from accord.cli.arguments import add_format, add_noinput
from accord.errors import NotConfirmed, UsageError
from accord.events import Reporter
from migrator.cli import render_partitions
from migrator.cli.acting import acting
from migrator.cli.progress import progress
from migrator.partitions import declared as declaring
from migrator.partitions import making, refusals
from migrator.partitions.conversion import Conversion
from migrator.partitions.declaration import Partitioned
from migrator.partitions.standing import State, probe
from migrator.partitions.table import Catalog
from migrator.partitions.telling import sql_of
from migrator.partitions.upkeep import MOVED, Upkeep, detached, due
from migrator.partitions.wanted import Wanted
from migrator.relational import failures
from migrator.relational.locking import tries_on, usual_patience

_DONE = {
    "convert": EventKind.TABLE_CONVERTED,
    "revert": EventKind.TABLE_REVERTED,
    "finish": EventKind.TABLE_FINISHED,
    "made": EventKind.PARTITION_MADE,
    "detached": EventKind.PARTITION_DETACHED,
    "dropped": EventKind.PARTITION_DROPPED,
}


def add_partition_arguments(parser: ArgumentParser) -> None:
    """Declare the acts and their options."""
    acts = parser.add_subparsers(dest="act", required=True, metavar="ACT")
    plan = acts.add_parser("plan", help="Tell how far each table is, and what converting one would send.")
    convert = acts.add_parser("convert", help="Divide a table into partitions, beside who writes to it.")
    maintain = acts.add_parser("maintain", help="Make partitions ahead, and let go those whose time is over.")
    revert = acts.add_parser(
        "revert", help="Put the old table back into use, with all that was written since."
    )
    finish = acts.add_parser("finish", help="Drop the old table, and with it the way back.")
    for act in (plan, maintain):
        act.add_argument(
            "model", nargs="?", default="", help="Label of a model (default: all that are declared)."
        )
    for act in (convert, revert, finish):
        act.add_argument("model", help="Label of a model: app.Model.")
    for act in (plan, convert, maintain, revert, finish):
        act.add_argument("--database", default="", metavar="ALIAS", help="Database (default: the router's).")
        add_format(act)
    for act in (convert, maintain, revert, finish):
        _add_person(act)
    for act in (maintain, finish):
        act.add_argument("--yes-drop", action="store_true", help="Drop what is not in use any more.")
    maintain.add_argument(
        "--move",
        type=int,
        default=MOVED,
        metavar="ROWS",
        help=f"Rows of the default partition to move at once, at most (default: {MOVED}).",
    )


def _add_person(act: ArgumentParser) -> None:
    act.add_argument(
        "--as",
        dest="person",
        default="",
        metavar="USERNAME",
        help="The account that acts (default: that of the user who is signed in, if any).",
    )
    add_noinput(act)


def carry_out(options: Mapping[str, Any]) -> Answer:
    """
    Do what is asked for.

    Raises:
        NotPartitionable: A table can't be divided as declared, or isn't as far.
        NotConfirmed: Something would be dropped, and nobody agreed.
        LeaseHeld: Another process is at this table.
        StepFailed: The server refuses, or others were in the way.
    """
    chosen = _chosen(options["model"])
    if options["act"] == "plan":
        return render_partitions.plan_answer([_look(each, options) for each in chosen])
    if options["act"] == "maintain":
        return render_partitions.upkeep_answer({each.model: _kept_up(each, options) for each in chosen})
    [each] = chosen
    if options["act"] == "finish" and not options["yes_drop"]:
        raise NotConfirmed(
            f"The old table of {each.model} would go, and with it the way back.",
            hint="Say so: partition finish MODEL --yes-drop",
        )
    return render_partitions.state_answer(each.model, options["act"], _carried_out(each, options))


def _chosen(label: str) -> list[Partitioned]:
    if label:
        return [declaring.declared_of(label)]
    found = list(declaring.declarations().values())
    if not found:
        raise UsageError(
            "No app declares partitions.",
            hint="Write PARTITIONS = [Partitioned(...)] into the partitions.py of an app. "
            "See docs/howto/partition-a-large-table.md.",
        )
    return found


def _look(declared: Partitioned, options: Mapping[str, Any]) -> render_partitions.Seen:
    """Look at a table; nothing is changed."""
    with _opened(declared, options) as (catalog, wanted):
        found = probe(catalog, wanted)
        reasons, losses, statements = (), (), ()  # type: tuple[Any, Any, Any]
        if found.state in (State.PLAIN, State.BEGUN):
            others = making.bystanders(catalog, wanted, found.table)
            reasons = tuple(refusals.refusals(found.table, declared, wanted.key, others))
            losses = () if reasons else tuple(refusals.losses(found.table, wanted.key))
            statements = () if reasons else tuple(sql_of(catalog, wanted, found.table))
        return render_partitions.Seen(
            model=declared.model,
            table=wanted.table,
            state=found.state,
            rows=found.table.rows,
            bytes=found.table.bytes,
            reasons=reasons,
            losses=losses,
            statements=statements,
            duties=due(catalog, wanted, found.table, _today()) if not reasons and not statements else None,
            detached=tuple(detached(catalog, wanted)),
        )


@dataclass(frozen=True, kw_only=True)
class _Work:
    """One table, under a lease."""

    database: str
    wanted: Wanted
    account: Account | None

    def witness(self, what: str, part: str = "") -> None:
        """Put on record, in the transaction of the act where that is the coordinating database."""
        using = conf.load().coordinator
        with transaction.atomic(using=using):
            thing = f"{self.database}:{self.wanted.at(part) if part else self.wanted.table}"
            trail.record(
                _DONE[what],
                actor=actor(self.account),
                object_kind=ObjectKind.TABLE,
                object_ref=trail.reference_for("table", thing, using=using),
                using=using,
            )


def _carried_out(declared: Partitioned, options: Mapping[str, Any]) -> State:
    with _held(declared, options) as (work, catalog, tries, report):
        conversion = Conversion(catalog, work.wanted, tries, report, partial(work.witness, options["act"]))
        acts: Mapping[str, Callable[[], State]] = {
            "convert": conversion.convert,
            "revert": conversion.revert,
            "finish": conversion.finish,
        }
        return acts[options["act"]]()


def _kept_up(declared: Partitioned, options: Mapping[str, Any]) -> Any:
    with _held(declared, options) as (work, catalog, tries, _):
        upkeep = Upkeep(catalog, work.wanted, tries, work.witness, today=_today(), most=options["move"])
        return upkeep.keep_up(drop=options["yes_drop"])


@contextmanager
def _held(
    declared: Partitioned, options: Mapping[str, Any]
) -> Iterator[tuple[_Work, Catalog, Any, Reporter]]:
    """Hold the lease of a table, which nobody else is at meanwhile."""
    settings, run = conf.load(), f"partition-{secrets.token_hex(3)}"
    with (
        _opened(declared, options) as (catalog, wanted),
        progress(options["verbosity"]) as report,
        lease.hold(
            f"partitions:{settings.project}:{catalog.connection.alias}:{wanted.table}",
            alias=settings.coordinator,
            run_id=run,
            ttl=settings.lease_ttl,
            wait=settings.lock_wait,
            report=report,
        ) as held,
    ):
        isolation.refuse_real(catalog.connection.alias)
        tries = tries_on(
            catalog.connection,
            f"{options['act']} {declared.model}",
            usual_patience(catalog.connection),
            held,
            report,
        )
        work = _Work(database=catalog.connection.alias, wanted=wanted, account=acting(options))
        yield work, catalog, tries, report


@contextmanager
def _opened(declared: Partitioned, options: Mapping[str, Any]) -> Iterator[tuple[Catalog, Wanted]]:
    """Open the database, and say in our words what it refuses."""
    model = declaring.model_of(declared)
    database = db.known(options["database"] or declaring.database_of(declared))
    with failures.translated(database):
        db.revive(database)
        yield Catalog(connections[database]), declaring.wanted_of(declared, model, database)


def _today() -> Any:
    return datetime.now(UTC).date()
