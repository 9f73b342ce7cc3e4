"""Apply, or undo, the migrations of every store in one ordered plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.management.base import CommandParser
from django.core.management.color import no_style
from django.db import connections

from accord.cli.printable import say_aside
from accord.clock import SystemClock
from accord.command import AnsweringCommand, interrupted
from accord.ending import ends_at_once
from accord.errors import AccordError, ExitCode
from accord.seam.foretelling import NOTHING, refused
from accord.seam.losses import Loss
from accord.seam.registry import Registry, opened
from accord.seam.types import Shown
from accord.stopping import stop_on_signal
from migrator.cli import render_environment, render_json, render_looks, render_proof, render_text
from migrator.cli.acting import acting, deciding
from migrator.cli.options import add_migrate_arguments, request_from
from migrator.cli.progress import progress
from migrator.cli.prompts import confirmation
from migrator.cli.render_assertions import verification_document, verification_lines
from migrator.cli.render_losses import losses_document, losses_lines
from migrator.cli.render_recovery import recovery_lines
from migrator.engine.api import Migrations
from migrator.engine.plan import Plan
from migrator.engine.recovery import recovery_of
from migrator.engine.request import Request, RunReport
from migrator.engine.situation import Situation
from migrator.engine.verdicts import StepVerdict
from migrator.engine.waiting import until_applied
from migrator.models import RunKind

if TYPE_CHECKING:
    from migrator.engine.live import LiveLook


class Command(AnsweringCommand):
    """`manage.py migrate_all`."""

    help = (
        "Applies the migrations of every store (PostgreSQL, MongoDB, search, Alembic) in one ordered plan. "
        "Safe to start twice and to start again."
    )
    examples: ClassVar[Mapping[str, str]] = {
        "": "apply whatever is pending, in every store",
        "--plan": "list the steps, and touch nothing",
        "--dry-run": "show what each step would send, and what the servers would say to it",
        "--store mongodb": "one store and what it needs",
        "APP 0003 --revert": "undo what came after a step",
        "--snapshot schema --check": "compare reviewed files of each store's schema with what stands",
        "--baseline --verify": "adopt what stands already",
    }

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the flags."""
        add_migrate_arguments(parser)

    def answer(self, options: dict[str, Any]) -> ExitCode:
        """Show or run what is asked for."""
        request = request_from(options)
        only_shown = options["plan"] or options["check_unapplied"] or options["dry_run"]
        if options.get("wait") is not None:
            self._wait(request, options)
        with opened() as stores:
            if options["snapshot"] is not None:
                return self._snapshot(stores, request, options)
            if options["check_live"]:
                return self._check_live(Migrations(stores).look_live(request), options)
            if options["verify"]:
                verify = self._verify_baseline if options["baseline"] else self._verify
                return verify(Migrations(stores), request, options)
            return (self._show if only_shown else self._run)(Migrations(stores), request, options)

    def _wait(self, request: Request, options: dict[str, Any]) -> None:
        """Wait until another process has applied everything; each look is one on fresh connections."""

        def look() -> Plan:
            connections.close_all()
            with opened() as stores:
                migrations = Migrations(stores)
                return migrations.plan(request, migrations.situation(request))

        def last_words() -> None:
            self.say_error(interrupted(), {"format": options["format"]})
            for stream in (self.stdout, self.stderr):
                stream.flush()

        def tell(text: str) -> None:
            if options["verbosity"]:
                self.stderr.write(text, lambda line: line)
                self.stderr.flush()

        with ends_at_once(last_words):
            until_applied(look, options["wait"], clock=SystemClock(), tell=tell)

    def _show(self, migrations: Migrations, request: Request, options: dict[str, Any]) -> ExitCode:
        situation = migrations.situation(request)
        plan = migrations.plan(request, situation)
        # Once for all: what reads statements reads what is shown.
        forgets = request.kind is RunKind.FORGET  # sends nothing, and its file may be gone
        rendered = list(migrations.explain(plan)) if options["dry_run"] and not forgets else ()
        losses = _asked_losses(migrations, request, plan, options, rendered)
        if options["format"] == "text":
            self._write(render_environment.foreign_lines(situation, self.style))
        if options["dry_run"]:
            foretold = NOTHING if forgets else migrations.foretell(plan, rendered)
            rendered = [(step, ()) for step in plan.steps] if forgets else rendered
            if options["format"] == "json":
                document = render_json.dry_run_document(plan, rendered, foretold)
                self.stdout.write(render_json.dump({**document, **losses_document(losses)}))
            else:
                self._write(render_text.dry_run_lines(plan, rendered, self.style, foretold, losses))
            if any(refused(found) for found in foretold.values()):
                return ExitCode.FAILED
        elif request.kind is RunKind.BASELINE:
            self._show_baseline(migrations.look(plan), plan, situation, options)
        elif options["format"] == "json":
            document = render_json.plan_document(plan, situation)
            strange = {"foreign": render_environment.foreign_documents(situation)}
            self.stdout.write(render_json.dump({**document, **losses_document(losses), **strange}))
        else:
            self._write(render_text.plan_lines(plan, situation, self.style, request.kind))
            self._write(losses_lines(losses, self.style))
            self._write(render_text.begun_lines(situation, self.style))
            self._write(render_text.drift_lines(situation, self.style))
        return _checked(plan, situation) if options["check_unapplied"] else ExitCode.DONE

    def _verify(self, migrations: Migrations, request: Request, options: dict[str, Any]) -> ExitCode:
        found = migrations.verify(request)
        self._say(options, verification_document(found), verification_lines(found, self.style))
        return ExitCode.FAILED if found.broken else ExitCode.DONE

    def _check_live(self, found: LiveLook, options: dict[str, Any]) -> ExitCode:
        self._say(options, render_looks.live_document(found), render_looks.live_lines(found, self.style))
        return found.exit_code

    def _snapshot(self, stores: Registry, request: Request, options: dict[str, Any]) -> ExitCode:
        # Loaded here: it is not part of a run.
        from migrator.cli import render_snapshot
        from migrator.engine import snapshot

        migrations = Migrations(stores)
        migrations.refuse_other(request.environment)
        act = snapshot.compared if options["check_unapplied"] else snapshot.written
        found = act(stores, Path(options["snapshot"]), request.target.stores)
        unfinished = _unfinished(migrations, request)
        lines = render_snapshot.snapshot_lines(found, unfinished, self.style)
        self._say(options, render_snapshot.snapshot_document(found, unfinished), lines)
        return found.exit_code

    def _show_baseline(
        self, found: Sequence[StepVerdict], plan: Plan, situation: Situation, options: dict[str, Any]
    ) -> None:
        self._say(
            options,
            render_proof.baseline_document(plan, found, situation),
            render_proof.baseline_lines(plan, found, self.style),
            render_text.drift_lines(situation, self.style),
        )

    def _verify_baseline(self, migrations: Migrations, request: Request, options: dict[str, Any]) -> ExitCode:
        situation = migrations.situation(request)
        found = migrations.verify_baseline(request, situation)
        self._say(
            options,
            render_looks.verification_document(found, situation),
            render_looks.verification_lines(found, situation, self.style),
            render_text.begun_lines(situation, self.style),
            render_text.drift_lines(situation, self.style),
        )
        return found.exit_code

    def _run(self, migrations: Migrations, request: Request, options: dict[str, Any]) -> ExitCode:
        if request.break_glass:
            request = replace(request, account=deciding(options))
        elif request.kind is RunKind.FORGET:
            request = replace(request, account=acting(options))
        ask = confirmation(request.kind, interactive=options["interactive"])
        if ask is not None and request.kind is RunKind.REVERT:
            # The question names what goes, and a yes is a yes to that.
            request, ask = replace(request, asks=True), _telling_losses(migrations, ask)
        with progress(options["verbosity"]) as report, stop_on_signal() as stop:
            result = migrations.run(
                request,
                report=report,
                confirm=self._before_the_first_step(ask, options),
                exact=ask is not None,
                stop=stop,
            )
        self._sum_up(result, options)
        return result.exit_code

    def _before_the_first_step(
        self, ask: Callable[[Plan], None] | None, options: dict[str, Any]
    ) -> Callable[[Plan], None]:
        """Check the project as Django's `migrate` does, then ask what has to be asked."""

        def confirm(plan: Plan) -> None:
            if not options["skip_checks"]:
                self.check()
            if ask is not None:
                ask(plan)

        return confirm

    def _sum_up(self, result: RunReport, options: dict[str, Any]) -> None:
        if options["format"] == "json":
            self.stdout.write(render_json.dump(render_json.run_document(result)))
            return
        if result.exit_code is ExitCode.DONE and not options["verbosity"]:
            return
        self._write(render_text.run_lines(result, self.style))
        if options["tag"] and result.exit_code is ExitCode.DONE:
            self._write([f"The tag “{options['tag']}” names where every store stands now."])
        if result.error is not None:
            self.say_error(result.error, options)
        if (recovery := recovery_of(result)) is not None:
            self._write(recovery_lines(recovery))

    def _say(self, options: dict[str, Any], document: dict[str, Any], *parts: Iterable[str]) -> None:
        """Write an answer as the document that it is, or as lines for people."""
        if options["format"] == "json":
            self.stdout.write(render_json.dump(document))
            return
        for lines in parts:
            self._write(lines)

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _unfinished(migrations: Migrations, request: Request) -> int | None:
    """Count the steps of the stores asked that are pending or half done; None where nobody can tell."""
    try:
        found = migrations.situation(request).unfinished
    except AccordError:  # What stands was told: a file of a step that can't be read takes nothing from it.
        return None
    return sum(not request.target.stores or key.store in request.target.stores for key in found)


def _checked(plan: Plan, situation: Situation) -> ExitCode:
    """Answer `--check`: a store of another environment, or steps that are pending, or neither."""
    if render_environment.foreign_documents(situation):
        return ExitCode.AWAITING_APPROVAL
    return ExitCode.FAILED if plan.steps or plan.stuck else ExitCode.DONE


def _asked_losses(
    migrations: Migrations, request: Request, plan: Plan, options: dict[str, Any], shown: Shown
) -> Sequence[Loss] | None:
    """Ask what a plan would drop, unless only the number of pending steps is wanted."""
    acts = request.kind in (RunKind.APPLY, RunKind.REVERT)
    asked = acts and plan.steps and not options["check_unapplied"]
    return migrations.losses(plan, shown) if asked else ()


def _telling_losses(migrations: Migrations, ask: Callable[[Plan], None]) -> Callable[[Plan], None]:
    """Name what a plan drops before the question is put."""

    def tell(plan: Plan) -> None:
        lines = list(losses_lines(migrations.losses(plan), no_style()))
        say_aside("".join(f"{line}\n" for line in lines))
        ask(plan)

    return tell
