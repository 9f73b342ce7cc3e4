"""Apply, or undo, the migrations of every store in one ordered plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandParser
from django.db import connections

from accord.clock import SystemClock
from accord.command import AnsweringCommand, interrupted
from accord.ending import ends_at_once
from accord.errors import ExitCode, UsageError
from accord.seam.registry import opened
from accord.stopping import stop_on_signal
from migrator.cli import render_json, render_text
from migrator.cli.options import add_migrate_arguments, request_from
from migrator.cli.progress import progress
from migrator.cli.prompts import confirmation
from migrator.cli.render_recovery import recovery_lines
from migrator.engine.api import Migrations
from migrator.engine.plan import Plan
from migrator.engine.recovery import recovery_of
from migrator.engine.request import Request, RunReport
from migrator.engine.waiting import until_applied
from migrator.models import RunKind

if TYPE_CHECKING:
    from accord.acting import Account


class Command(AnsweringCommand):
    """`manage.py migrate_all`."""

    help = (
        "Applies the migrations of every store (PostgreSQL, MongoDB, search, Alembic) in one ordered plan. "
        "Safe to start twice and to start again."
    )

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
        if options["dry_run"]:
            forgets = request.kind is RunKind.FORGET  # sends nothing, and its file may be gone
            rendered = ((step, ()) for step in plan.steps) if forgets else migrations.explain(plan)
            if options["format"] == "json":
                self.stdout.write(render_json.dump(render_json.dry_run_document(plan, rendered)))
            else:
                self._write(render_text.dry_run_lines(plan, rendered, self.style))
        elif options["format"] == "json":
            self.stdout.write(render_json.dump(render_json.plan_document(plan, situation)))
        else:
            self._write(render_text.plan_lines(plan, situation, self.style, request.kind))
            self._write(render_text.begun_lines(situation, self.style))
            self._write(render_text.drift_lines(situation, self.style))
        pending = bool(plan.steps or plan.stuck) and options["check_unapplied"]
        return ExitCode.FAILED if pending else ExitCode.DONE

    def _run(self, migrations: Migrations, request: Request, options: dict[str, Any]) -> ExitCode:
        if request.kind is RunKind.FORGET:
            request = replace(request, account=_acting(options))
        ask = confirmation(request.kind, interactive=options["interactive"])
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
        self._write(render_text.run_lines(result, self.style))
        if result.error is not None:
            self.say_error(result.error, options)
        if (recovery := recovery_of(result)) is not None:
            self._write(recovery_lines(recovery))

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _acting(options: dict[str, Any]) -> Account | None:
    """Find the account that acts; where nobody is named, whoever is signed in, and else nobody."""
    # Loaded here: it brings models, which a project without the app “accord” hasn't got.
    from accord.acting import acting

    try:
        return acting(options["person"], interactive=options["interactive"])
    except UsageError:
        if options["person"]:
            raise
        return None
