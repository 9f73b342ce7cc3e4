"""Lint before a run: where the policy asks for it, what is known to be dangerous doesn't start unseen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from django.utils import timezone

from accord import conf
from accord.events import Reporter
from accord.seam.rewriting import Extent
from accord.seam.stores import Store
from accord.seam.types import Step
from accord.words import counted
from migrator.engine.events import RunNoted
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.errors import LintRefused
from migrator.governance.policy import Policy, Reaction
from migrator.lint import looking, registry
from migrator.lint.finding import Finding, Severity
from migrator.lint.linter import Linter, Report
from migrator.lint.looking import Wanted
from migrator.models import RunKind

_SHOWN = 5


def linted(
    stores: Mapping[str, Store], steps: Sequence[Step], policy: Policy, settings: conf.AccordSettings
) -> Report:
    """
    Look at the files of steps that go out together. No server is asked.

    Args:
        stores: The stores by alias.
        steps: The steps; those of packages and of the suite are left alone.
        policy: Of the environment.
        settings: Settings of the suite.

    Raises:
        ConfigurationError: A rule of the project can't be loaded, or the policy names one that isn't there.
    """
    linter = Linter(registry.rules(settings.lint), policy.lint_rules, timezone.now().date())
    keys = frozenset(step.key for step in steps)
    wanted = Wanted(keys=keys, eases=policy.rewriting is not Extent.OFF)
    return linter.look(looking.subjects_of(stores, steps, wanted))


def refuse_lint(
    stores: Mapping[str, Store],
    request: Request,
    plan: Plan,
    policy: Policy,
    settings: conf.AccordSettings,
    report: Reporter,
) -> None:
    """
    Check that lint has no error to tell of a plan, before its first step.

    Args:
        stores: The stores by alias.
        request: What is wanted; only what is applied is looked at.
        plan: The plan.
        policy: Of the environment.
        settings: Settings of the suite.
        report: Told of errors where the environment only warns.

    Raises:
        LintRefused: It has, and the environment refuses it.
    """
    if policy.lint is Reaction.OFF or request.kind is not RunKind.APPLY or request.rebuild:
        return
    found = linted(stores, plan.steps, policy, settings)
    errors = found.at_least(Severity.ERROR)
    if errors and policy.lint is Reaction.REFUSE:
        raise _error(errors)
    for finding in errors:
        report(RunNoted(note=f"Lint: {sentence(finding)}"))


def sentence(finding: Finding) -> str:
    """Return a finding as one line, with its step and its rule."""
    what = f", {finding.what}" if finding.what else ""
    return f"{finding.key}{what}: {finding.text} ({finding.severity}: {finding.rule})"


def _error(errors: Sequence[Finding]) -> LintRefused:
    more = len(errors) - _SHOWN
    lines = [sentence(one) for one in errors[:_SHOWN]]
    lines += [f"And {more} more."] if more > 0 else []
    return LintRefused(
        f"Lint finds {counted(len(errors), 'error')} in pending steps, and nothing was started. "
        f"{' '.join(lines)}",
        hint=f"{errors[0].safe} Or waive it in the file with a reason: docs/howto/lint-in-ci.md.",
    )
