"""Apply, or undo, the migrations of every store in one ordered plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from django.core.management.base import CommandParser
from django.core.management.color import no_style
from django.db import connections

from accord.cli.printable import say_aside
from accord.clock import SystemClock
from accord.command import AnsweringCommand, interrupted
from accord.ending import ends_at_once
from accord.errors import ExitCode
from accord.seam.registry import opened
from accord.stopping import stop_on_signal
from migrator.cli.acting import acting, deciding
from migrator.cli.options import add_migrate_arguments, request_from
from migrator.cli.progress import progress
from migrator.cli.prompts import confirmation
from migrator.engine.api import Migrations
from migrator.engine.plan import Plan
from migrator.engine.request import Request, RunReport
from migrator.models import RunKind


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
            if only_shown or options["check_live"] or options["verify"] or options["snapshot"] is not None:
                # Loaded here: a run shows none of it.
                from migrator.cli.showing import Showing

                return Showing(stores, request, options, self.style, self.stdout.write).answer()
            return self._run(Migrations(stores), request, options)

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

        # Loaded here, as below: what nobody asks for costs nothing.
        from migrator.engine.waiting import until_applied

        with ends_at_once(last_words):
            until_applied(look, options["wait"], clock=SystemClock(), tell=tell)

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
            from migrator.cli import render_json

            self.stdout.write(render_json.dump(render_json.run_document(result)))
            return
        if result.exit_code is ExitCode.DONE and not options["verbosity"]:
            return
        from migrator.cli import render_text

        self._write(render_text.run_lines(result, self.style))
        if options["tag"] and result.exit_code is ExitCode.DONE:
            self._write([f"The tag “{options['tag']}” names where every store stands now."])
        if result.error is not None:
            self.say_error(result.error, options)
        if result.exit_code is not ExitCode.DONE:
            self._advise(result)

    def _advise(self, result: RunReport) -> None:
        from migrator.cli.render_recovery import recovery_lines
        from migrator.engine.recovery import recovery_of

        if (recovery := recovery_of(result)) is not None:
            self._write(recovery_lines(recovery))

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.stdout.write(line)


def _telling_losses(migrations: Migrations, ask: Callable[[Plan], None]) -> Callable[[Plan], None]:
    """Name what a plan drops before the question is put."""
    from migrator.cli.render_losses import losses_lines

    def tell(plan: Plan) -> None:
        lines = list(losses_lines(migrations.losses(plan), no_style()))
        say_aside("".join(f"{line}\n" for line in lines))
        ask(plan)

    return tell
