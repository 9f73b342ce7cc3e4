"""`lint_migrations`: its flags, and its answer."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from django.core.management.color import Style
from django.utils import timezone

from accord import conf
from accord.errors import ExitCode
from accord.seam.registry import opened
from accord.seam.rewriting import Extent
from accord.seam.stores import Store
from migrator.alembic.store import AlembicStore
from migrator.cli import render_lint, render_lint_ci
from migrator.errors import UnknownApp
from migrator.foretelling.looks import Relations, Size
from migrator.governance import policy
from migrator.lint import changed, live, looking, registry
from migrator.lint.finding import Severity
from migrator.lint.linter import Linter, Report
from migrator.lint.looking import Wanted
from migrator.lint.rule import Rule
from migrator.relational import failures
from migrator.relational.foretelling import asker
from migrator.relational.store import RelationalStore

FORMATS = ("text", "json", "sarif", "github", "gitlab")
_STOPS = (Severity.ERROR, Severity.WARNING, Severity.INFO)


def add_lint_arguments(parser: ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("app_label", nargs="*", help="Only these apps, whoever wrote them.")
    parser.add_argument(
        "--since",
        default="",
        metavar="REF",
        help="Only files that changed since this branch left REF, a branch, tag or commit of git.",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="Ask the databases, read-only, how large the tables are; work on a small one is only told.",
    )
    parser.add_argument(
        "--fail-on",
        choices=[str(one) for one in _STOPS],
        default=str(Severity.ERROR),
        help="Leave with 1 where a finding weighs as much, or more (default: error).",
    )
    parser.add_argument(
        "--format", choices=FORMATS, default="text", help="How to write the answer (default: text)."
    )


@dataclass(frozen=True, kw_only=True)
class Linted:
    """
    What was found, and by which rules.

    Attributes:
        report: What was found.
        rules: All rules.
        fail_on: From what weight on the command fails.
    """

    report: Report
    rules: Mapping[str, Rule]
    fail_on: Severity

    @property
    def code(self) -> ExitCode:
        """Return how the command leaves."""
        return ExitCode.FAILED if self.report.at_least(self.fail_on) else ExitCode.DONE

    def lines(self, shape: str, style: Style) -> Iterable[str]:
        """Write the answer in one of :data:`FORMATS`."""
        place = render_lint.places()
        if shape == "json":
            return [json.dumps(render_lint.document(self.report, place), indent=2, ensure_ascii=False)]
        if shape == "sarif":
            return [render_lint_ci.sarif(self.report, self.rules, place)]
        if shape == "gitlab":
            return [render_lint_ci.gitlab(self.report, place)]
        if shape == "github":
            return render_lint_ci.github(self.report, place)
        return render_lint.text_lines(self.report, place, style)


def carry_out(options: Mapping[str, Any]) -> Linted:
    """
    Look at migrations.

    Raises:
        UnknownApp: An app has no migrations.
        UsageError: Git can't tell what changed.
        ConfigurationError: A rule of the project can't be loaded.
        RevisionError: A file can't be used.
    """
    settings = conf.load()
    rules = registry.rules(settings.lint)
    own = policy.load(settings).of(settings.environment)
    wanted = Wanted(
        apps=options["app_label"], files=_files(options["since"]), eases=own.rewriting is not Extent.OFF
    )
    with opened() as stores:
        _refuse_unknown(stores, options["app_label"])
        linter = Linter(rules, own.lint_rules, timezone.now().date())
        report = linter.look(looking.subjects(stores, wanted))
        if options["live"]:
            report = live.measured(report, sizes_of(stores))
    return Linted(report=report, rules=rules, fail_on=Severity(options["fail_on"]))


def sizes_of(stores: Mapping[str, Store]) -> live.Sizes:
    """Return a way to ask the databases of Django, and those of Alembic's histories, for their tables."""

    @cache
    def sizes(alias: str) -> Mapping[str, Size] | None:
        store = stores[alias]
        if isinstance(store, AlembicStore):
            return store.sizes()
        if not isinstance(store, RelationalStore):
            return None
        with failures.translated(alias):
            return Relations(asker(alias)).tables

    return sizes


def _files(reference: str) -> Collection[Path] | None:
    return changed.since(reference, conf.base_dir()) if reference else None


def _refuse_unknown(stores: Mapping[str, Store], apps: Sequence[str]) -> None:
    if not apps:
        return
    known = {step.key.app for alias in stores for step in stores[alias].steps()}
    for app in apps:
        if app not in known:
            raise UnknownApp(f"No app “{app}” has steps.", hint=f"Apps: {', '.join(sorted(known))}.")
