"""The flags of migrate_all, and the request that they make."""

from __future__ import annotations

import re
from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from accord.cli.arguments import add_format, add_noinput
from accord.errors import UsageError
from accord.seam.types import Phase
from migrator.cli.answering_options import add_answering, add_unsafe_ddl, reason_of, refuse_unreasoned
from migrator.cli.live_options import add_check_live, refuse_beside_check_live
from migrator.cli.proof_options import add_proof_arguments, refuse_odd_proof
from migrator.cli.refused_options import add_refused, refuse_djangos
from migrator.cli.snapshot_options import add_snapshot, refuse_beside_snapshot
from migrator.cli.verify_options import add_verify, refuse_beside_verify
from migrator.engine.plan import ZERO, Target
from migrator.engine.request import Request
from migrator.models import RunKind

_LONGEST_TAG = 100
_ZERO_OF = re.compile(r"(?:(?P<store>[^:.\s]+):)?(?P<app>[^:.\s]+)\.zero")
_LOOKS = ("plan", "dry_run", "check_unapplied")


def add_store(parser: ArgumentParser) -> None:
    """Add `--store`."""
    parser.add_argument(
        "--store",
        action="append",
        default=[],
        metavar="ALIAS",
        help="Only steps of this store, and what they need. May be given several times.",
    )
    parser.add_argument(
        "--database", action="append", dest="store", metavar="ALIAS", help="As --store, as migrate calls it."
    )


def add_migrate_arguments(parser: ArgumentParser) -> None:
    """Add the flags of migrate_all."""
    _add_looks(parser)
    add_verify(parser)
    add_check_live(parser)
    add_snapshot(parser)
    add_plan_arguments(parser)
    add_noinput(parser)
    parser.add_argument(
        "--lock-wait",
        type=float,
        default=None,
        metavar="SECONDS",
        help="How long to wait for another run's lease (default: ACCORD['LOCK_WAIT'], 600).",
    )
    parser.add_argument(
        "--wait",
        type=float,
        default=None,
        metavar="SECONDS",
        help="With --check: how long to wait until another process has applied everything.",
    )
    parser.add_argument(
        "--one-by-one",
        action="store_true",
        help="Don't let steps of different stores run at the same time.",
    )
    parser.add_argument(
        "--tag", default="", metavar="NAME", help="Name where every store stands after this run."
    )
    parser.add_argument("--skip-checks", action="store_true", help="Skip Django's system checks.")
    add_refused(parser)
    add_answering(parser)
    add_format(parser)


def add_plan_arguments(parser: ArgumentParser) -> None:
    """Add the flags that say what is to run, and nothing about how."""
    parser.add_argument(
        "app_label", nargs="?", default="", help="Only steps of this app, and what they need."
    )
    parser.add_argument(
        "migration_name",
        nargs="?",
        default="",
        help="Up to this step of the app; a unique beginning of its name is enough. “zero” with --revert.",
    )
    _add_kinds(parser)
    _add_rebuild(parser)
    add_unsafe_ddl(parser)
    _add_targets(parser)
    parser.add_argument(
        "--env", default="", metavar="NAME", help="Refuse unless the settings are those of NAME."
    )


def _add_looks(parser: ArgumentParser) -> None:
    modes = parser.add_mutually_exclusive_group()
    modes.add_argument("--plan", action="store_true", help="Show the steps in order, and change nothing.")
    modes.add_argument(
        "--dry-run", action="store_true", help="Show what each step would send, and change nothing."
    )
    modes.add_argument(
        "--check", action="store_true", dest="check_unapplied", help="Exit with 1 if steps are pending."
    )


def _add_kinds(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--revert", action="store_true", help="Undo steps, newest first, instead of applying."
    )
    parser.add_argument(
        "--even-with-data",
        action="store_true",
        help="With --revert: agree that tables, collections and indexes go with what they hold. Needed with "
        "--noinput; a terminal asks.",
    )
    parser.add_argument(
        "--baseline",
        action="store_true",
        help="Record steps as applied after looking that their effect is there; --plan shows what is found.",
    )
    add_proof_arguments(parser)
    parser.add_argument(
        "--fake",
        action="store_true",
        help="Record Django migrations as applied (with --revert: as not applied) without looking.",
    )
    parser.add_argument(
        "--forget",
        default="",
        metavar="STEP",
        help="Strike a step that was begun, or whose file is gone, or STORE:APP of an app that isn't "
        "installed, from its ledger; nothing is undone.",
    )


def _add_rebuild(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--rebuild",
        default="",
        metavar="STORE[:APP]",
        help="Apply the steps of a store again that is new, empty, or was lost or restored; the others stay.",
    )
    parser.add_argument(
        "--data-is-lost",
        action="store_true",
        help="With --rebuild: agree that the store's own rows or documents don't come back.",
    )


def _add_targets(parser: ArgumentParser) -> None:
    add_store(parser)
    parser.add_argument(
        "--phase", choices=[phase.value for phase in Phase], default=None, help="Only steps of this phase."
    )
    parser.add_argument(
        "--to", default="", metavar="STEP", help="Up to (with --revert: back to) store:app.name, or zero."
    )
    parser.add_argument(
        "--step",
        default="",
        metavar="STEP",
        help="With --revert: this step. With --baseline: up to this one, believed if unprovable.",
    )
    parser.add_argument("--run", default="", metavar="ID", help="With --revert: what this run applied.")
    parser.add_argument(
        "--to-tag", default="", metavar="NAME", help="With --revert: what was applied after this tag."
    )


def request_from(options: dict[str, Any]) -> Request:
    """
    Make a request of parsed flags.

    Raises:
        UsageError: Flags don't fit together.
    """
    _spell_out_zero(options)
    _refuse_contradictions(options)
    if options["forget"]:
        return _forgetting(options)
    return Request(
        kind=_kind(options),
        target=_target(options),
        revert=options["revert"],
        rebuild=bool(options["rebuild"]),
        trust_unproved=options["trust_unproved"],
        data_is_lost=options["data_is_lost"],
        even_with_data=options.get("even_with_data", False),
        one_by_one=options.get("one_by_one", False),
        environment=options["env"],
        lock_wait=options.get("lock_wait"),
        tag=options.get("tag") or "",
        break_glass=options.get("break_glass", False),
        unsafe_ddl=tuple(dict.fromkeys(options.get("unsafe_ddl") or ())),
        reason=reason_of(options),
    )


def _forgetting(options: dict[str, Any]) -> Request:
    return Request(
        kind=RunKind.FORGET,
        target=Target(step=options["forget"]),
        environment=options["env"],
        lock_wait=options.get("lock_wait"),
        reason=options.get("reason", ""),
    )


def _target(options: dict[str, Any]) -> Target:
    phase = options["phase"]
    if options["rebuild"]:
        store, _, app = options["rebuild"].partition(":")
        return Target(stores=(store,), app=app)
    return Target(
        stores=aliases(options["store"]),
        app=options["app_label"],
        to=options["to"] or options["migration_name"] or (options["step"] if options["baseline"] else ""),
        phase=Phase(phase) if phase else None,
        step="" if options["baseline"] else options["step"],
        run_id=options["run"],
        tag=options.get("to_tag") or "",
    )


def aliases(named: str | Sequence[str]) -> tuple[str, ...]:
    """Return the stores; `call_command(..., database="logs")` hands over one name, and no list of names."""
    return (named,) if isinstance(named, str) else tuple(named)


def _kind(options: dict[str, Any]) -> RunKind:
    if options["baseline"]:
        return RunKind.BASELINE
    if options["fake"]:
        return RunKind.FAKE
    return RunKind.REVERT if options["revert"] else RunKind.APPLY


def _refuse_contradictions(options: dict[str, Any]) -> None:
    refuse_djangos(options)
    refuse_beside_snapshot(options)
    refuse_beside_verify(options)
    refuse_beside_check_live(options)
    _refuse_vague_wait(options)
    _refuse_odd_tags(options)
    _refuse_beside_rebuild(options)
    refuse_unreasoned(options, _LOOKS)
    if options.get("break_glass") and options["forget"]:
        raise UsageError("--break-glass and --forget exclude each other.", hint="Choose one of them.")
    if options["forget"]:
        _refuse_vague_forgetting(options)
    else:
        _refuse_odd_targets(options)


def _spell_out_zero(options: dict[str, Any]) -> None:
    """Take `store:app.zero` for what it says: all of that app, in that store."""
    found = _ZERO_OF.fullmatch(options["to"] or "")
    if found and not (options["app_label"] or options["store"]):
        options.update(to=ZERO, app_label=found["app"], store=[found["store"]] if found["store"] else [])


def _refuse_odd_targets(options: dict[str, Any]) -> None:
    if options["baseline"] and (options["fake"] or options["revert"]):
        raise UsageError("--baseline goes with neither --fake nor --revert.", hint="Choose one of them.")
    if options["to"] and options["migration_name"]:
        raise UsageError("--to and a step after the app name the same thing.", hint="Leave one of them out.")
    refuse_odd_proof(options)
    named_one = [name for name in ("step", "run") if options[name]]
    if options["baseline"] and named_one == ["step"]:
        named_one = []
    if named_one and not options["revert"]:
        raise UsageError(f"--{named_one[0]} goes with --revert.", hint="To apply up to a step, use --to.")
    to = options["to"] or options["migration_name"]
    if to == ZERO and not options["revert"]:
        what = f"{options['app_label']} zero" if options["app_label"] else "--to zero"
        raise UsageError("“zero” means undoing.", hint=f"Say so: migrate_all --revert {what}.")
    if options["revert"]:
        _refuse_vague_revert(options, to)


def _refuse_odd_tags(options: dict[str, Any]) -> None:
    """Check that a tag is kept by a run forward, and gone back to by nothing but a revert."""
    tag = options.get("tag")
    if tag and (options["revert"] or options["forget"] or any(options.get(look) for look in _LOOKS)):
        raise UsageError("--tag goes with a run forward.", hint="Run migrate_all --tag NAME by itself.")
    if tag and (len(tag) > _LONGEST_TAG or tag.split() != [tag]):
        raise UsageError("A tag is one word of at most 100 characters.", hint="As in --tag v1.4.")
    others = ("fake", "baseline", "forget", "rebuild", "app_label", "store", "phase", "to", "step", "run")
    if options.get("to_tag") and (not options["revert"] or any(options[name] for name in others)):
        raise UsageError(
            "--to-tag goes with --revert and nothing else.", hint="migrate_all --revert --to-tag NAME"
        )


def _refuse_vague_wait(options: dict[str, Any]) -> None:
    """Check that only `--check` waits, and for a time that there is."""
    wait = options.get("wait")
    if wait is None:
        return
    if not options.get("check_unapplied"):
        raise UsageError(
            "--wait goes with --check.",
            hint="migrate_all --check --wait 300 waits for another process; a run waits by --lock-wait.",
        )
    if not wait >= 0:
        raise UsageError(f"--wait {wait:g} is no time to wait.", hint="Give seconds from 0 up: --wait 300.")


def _refuse_beside_rebuild(options: dict[str, Any]) -> None:
    """Check that a rebuild names its store and nothing else."""
    if not options["rebuild"]:
        if options["data_is_lost"]:
            raise UsageError("--data-is-lost goes with --rebuild.", hint="Leave it out.")
        return
    others = ("baseline", "fake", "revert", "forget", "app_label", "store", "phase", "to", "step", "run")
    given = [name.replace("_label", "") for name in others if options[name]]
    if given:
        raise UsageError(
            f"--rebuild names what it applies by itself, and goes with none of: {', '.join(given)}.",
            hint="Write it as --rebuild STORE, or --rebuild STORE:APP.",
        )


def _refuse_vague_forgetting(options: dict[str, Any]) -> None:
    """Check that nothing is asked for beside, and that there is a reason."""
    others = ("baseline", "fake", "revert", "app_label", "to", "step", "run", "phase")
    if named := [name for name in others if options[name]]:
        raise UsageError(f"--forget and {named[0]} exclude each other.", hint="Choose one of them.")
    if not options.get("reason", "").strip() and not any(options.get(look) for look in _LOOKS):
        raise UsageError("A reason is missing.", hint="Say why in a sentence: --reason TEXT.")


def _refuse_vague_revert(options: dict[str, Any], to: str) -> None:
    """Check that everything isn't undone because a word was left out."""
    chosen = [name for name in ("step", "run", "to_tag") if options.get(name)] + (["to"] if to else [])
    if len(chosen) > 1:
        raise UsageError("--step, --run and --to exclude each other.", hint="Choose one of them.")
    if not chosen and not options["app_label"]:
        raise UsageError(
            "--revert needs to know how far.",
            hint="Name a step (--step), an app, a run (--run), or where to stop: --to STEP or --to zero.",
        )
