"""What `migrate_all` shows without a run: plans, looks, snapshots, proofs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from django.core.management.color import Style

from accord.errors import AccordError, ExitCode
from accord.seam.foretelling import NOTHING, refused
from accord.seam.losses import Loss
from accord.seam.registry import Registry
from accord.seam.types import Shown
from migrator.cli import render_environment, render_json, render_looks, render_proof, render_text
from migrator.cli.render_assertions import verification_document, verification_lines
from migrator.cli.render_losses import losses_document, losses_lines
from migrator.engine.api import Migrations
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.engine.situation import Situation
from migrator.models import RunKind


class Showing:
    """
    One question that changes nothing.

    Args:
        stores: The stores.
        request: What is asked about.
        options: The command's.
        style: Its colours.
        line: Writes a line of the answer.
    """

    def __init__(
        self,
        stores: Registry,
        request: Request,
        options: dict[str, Any],
        style: Style,
        line: Callable[[str], object],
    ) -> None:
        self._stores = stores
        self._migrations = Migrations(stores)
        self._request = request
        self._options = options
        self._style = style
        self._line = line

    def answer(self) -> ExitCode:
        """Answer it."""
        if self._options["snapshot"] is not None:
            return self._snapshot()
        if self._options["check_live"]:
            return self._check_live()
        if self._options["verify"]:
            return self._verify_baseline() if self._options["baseline"] else self._verify()
        return self._plan()

    def _plan(self) -> ExitCode:
        situation = self._migrations.situation(self._request)
        plan = self._migrations.plan(self._request, situation)
        # Once for all: what reads statements reads what is shown. Forgetting sends nothing at all.
        sends = self._options["dry_run"] and self._request.kind is not RunKind.FORGET
        rendered = list(self._migrations.explain(plan)) if sends else ()
        losses = _asked_losses(self._migrations, self._request, plan, self._options, rendered)
        if self._options["format"] == "text":
            self._write(render_environment.foreign_lines(situation, self._style))
        if self._options["dry_run"]:
            foretold = self._migrations.foretell(plan, rendered) if sends else NOTHING
            self._dry_run(plan, rendered if sends else [(step, ()) for step in plan.steps], foretold, losses)
            if any(refused(found) for found in foretold.values()):
                return ExitCode.FAILED
        elif self._request.kind is RunKind.BASELINE:
            self._baseline(plan, situation)
        else:
            self._steps(plan, situation, losses)
        return _checked(plan, situation) if self._options["check_unapplied"] else ExitCode.DONE

    def _dry_run(self, plan: Plan, rendered: Shown, foretold: Any, losses: Sequence[Loss] | None) -> None:
        if self._options["format"] == "json":
            document = render_json.dry_run_document(plan, rendered, foretold)
            self._line(render_json.dump({**document, **losses_document(losses)}))
        else:
            self._write(render_text.dry_run_lines(plan, rendered, self._style, foretold, losses))

    def _steps(self, plan: Plan, situation: Situation, losses: Sequence[Loss] | None) -> None:
        document = render_json.plan_document(plan, situation)
        strange = {"foreign": render_environment.foreign_documents(situation)}
        self._say(
            {**document, **losses_document(losses), **strange},
            render_text.plan_lines(plan, situation, self._style, self._request.kind),
            losses_lines(losses, self._style),
            render_text.begun_lines(situation, self._style),
            render_text.drift_lines(situation, self._style),
        )

    def _verify(self) -> ExitCode:
        found = self._migrations.verify(self._request)
        self._say(verification_document(found), verification_lines(found, self._style))
        return ExitCode.FAILED if found.broken else ExitCode.DONE

    def _check_live(self) -> ExitCode:
        found = self._migrations.look_live(self._request)
        self._say(render_looks.live_document(found), render_looks.live_lines(found, self._style))
        return found.exit_code

    def _snapshot(self) -> ExitCode:
        from migrator.cli import render_snapshot
        from migrator.engine import snapshot

        self._migrations.refuse_other(self._request.environment)
        act = snapshot.compared if self._options["check_unapplied"] else snapshot.written
        found = act(self._stores, Path(self._options["snapshot"]), self._request.target.stores)
        unfinished = _unfinished(self._migrations, self._request)
        lines = render_snapshot.snapshot_lines(found, unfinished, self._style)
        self._say(render_snapshot.snapshot_document(found, unfinished), lines)
        return found.exit_code

    def _baseline(self, plan: Plan, situation: Situation) -> None:
        found = self._migrations.look(plan)
        self._say(
            render_proof.baseline_document(plan, found, situation),
            render_proof.baseline_lines(plan, found, self._style),
            render_text.drift_lines(situation, self._style),
        )

    def _verify_baseline(self) -> ExitCode:
        situation = self._migrations.situation(self._request)
        found = self._migrations.verify_baseline(self._request, situation)
        self._say(
            render_looks.verification_document(found, situation),
            render_looks.verification_lines(found, situation, self._style),
            render_text.begun_lines(situation, self._style),
            render_text.drift_lines(situation, self._style),
        )
        return found.exit_code

    def _say(self, document: dict[str, Any], *parts: Iterable[str]) -> None:
        """Write an answer as the document that it is, or as lines for people."""
        if self._options["format"] == "json":
            self._line(render_json.dump(document))
            return
        for lines in parts:
            self._write(lines)

    def _write(self, lines: Iterable[str]) -> None:
        for line in lines:
            self._line(line)


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
