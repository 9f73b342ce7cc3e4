"""The flags of migrate_all, and the request that they make."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from accord.errors import UsageError
from accord.seam.types import Phase
from migrator.engine.plan import ZERO, Target
from migrator.engine.request import Request
from migrator.models import RunKind

_LOOKS = ("plan", "dry_run", "check_unapplied")


def add_format(parser: ArgumentParser) -> None:
    """Add `--format`."""
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="How to write the answer (default: text)."
    )


def add_store(parser: ArgumentParser) -> None:
    """Add `--store`."""
    parser.add_argument(
        "--store",
        action="append",
        default=[],
        metavar="ALIAS",
        help="Only steps of this store, and what they need. May be given several times.",
    )


def add_migrate_arguments(parser: ArgumentParser) -> None:
    """Add the flags of migrate_all."""
    _add_looks(parser)
    add_plan_arguments(parser)
    parser.add_argument(
        "--noinput", "--no-input", action="store_false", dest="interactive", help="Never ask a question."
    )
    parser.add_argument(
        "--lock-wait",
        type=float,
        default=None,
        metavar="SECONDS",
        help="How long to wait for another run's lease (default: ACCORD['LOCK_WAIT'], 600).",
    )
    parser.add_argument("--skip-checks", action="store_true", help="Skip Django's system checks.")
    parser.add_argument("--reason", default="", metavar="TEXT", help="With --forget: why, in a sentence.")
    parser.add_argument(
        "--as",
        dest="person",
        default="",
        metavar="USERNAME",
        help="With --forget: the account that acts (default: that of the user who is signed in, if any).",
    )
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
        "--baseline",
        action="store_true",
        help="Record steps as applied after looking that their effect is there.",
    )
    parser.add_argument(
        "--fake",
        action="store_true",
        help="Record Django migrations as applied (with --revert: as not applied) without looking.",
    )
    parser.add_argument(
        "--forget",
        default="",
        metavar="STEP",
        help="Strike a step that was begun, or whose file is gone, from its ledger; nothing is undone.",
    )


def _add_targets(parser: ArgumentParser) -> None:
    add_store(parser)
    parser.add_argument(
        "--phase", choices=[phase.value for phase in Phase], default=None, help="Only steps of this phase."
    )
    parser.add_argument(
        "--to", default="", metavar="STEP", help="Up to (with --revert: back to) store:app.name, or zero."
    )
    parser.add_argument("--step", default="", metavar="STEP", help="With --revert: this step.")
    parser.add_argument("--run", default="", metavar="ID", help="With --revert: what this run applied.")


def request_from(options: dict[str, Any]) -> Request:
    """
    Make a request of parsed flags.

    Raises:
        UsageError: Flags don't fit together.
    """
    _refuse_contradictions(options)
    if options["forget"]:
        return _forgetting(options)
    return Request(
        kind=_kind(options),
        target=_target(options),
        revert=options["revert"],
        environment=options["env"],
        lock_wait=options.get("lock_wait"),
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
    return Target(
        stores=tuple(options["store"]),
        app=options["app_label"],
        to=options["to"] or options["migration_name"],
        phase=Phase(phase) if phase else None,
        step=options["step"],
        run_id=options["run"],
    )


def _kind(options: dict[str, Any]) -> RunKind:
    if options["baseline"]:
        return RunKind.BASELINE
    if options["fake"]:
        return RunKind.FAKE
    return RunKind.REVERT if options["revert"] else RunKind.APPLY


def _refuse_contradictions(options: dict[str, Any]) -> None:
    if options["forget"]:
        _refuse_vague_forgetting(options)
        return
    if options["baseline"] and (options["fake"] or options["revert"]):
        raise UsageError("--baseline goes with neither --fake nor --revert.", hint="Choose one of them.")
    if options["to"] and options["migration_name"]:
        raise UsageError("--to and a step after the app name the same thing.", hint="Leave one of them out.")
    named_one = [name for name in ("step", "run") if options[name]]
    if named_one and not options["revert"]:
        raise UsageError(f"--{named_one[0]} goes with --revert.", hint="To apply up to a step, use --to.")
    to = options["to"] or options["migration_name"]
    if to == ZERO and not options["revert"]:
        raise UsageError("“zero” means undoing.", hint="Add --revert.")
    if options["revert"]:
        _refuse_vague_revert(options, to)


def _refuse_vague_forgetting(options: dict[str, Any]) -> None:
    """Check that nothing is asked for beside, and that there is a reason."""
    others = ("baseline", "fake", "revert", "app_label", "to", "step", "run", "phase")
    if named := [name for name in others if options[name]]:
        raise UsageError(f"--forget and {named[0]} exclude each other.", hint="Choose one of them.")
    if not options.get("reason", "").strip() and not any(options.get(look) for look in _LOOKS):
        raise UsageError("A reason is missing.", hint="Say why in a sentence: --reason TEXT.")


def _refuse_vague_revert(options: dict[str, Any], to: str) -> None:
    """Check that everything isn't undone because a word was left out."""
    chosen = [name for name in ("step", "run") if options[name]] + (["to"] if to else [])
    if len(chosen) > 1:
        raise UsageError("--step, --run and --to exclude each other.", hint="Choose one of them.")
    if not chosen and not options["app_label"]:
        raise UsageError(
            "--revert needs to know how far.",
            hint="Name a step (--step), an app, a run (--run), or where to stop: --to STEP or --to zero.",
        )
