"""Lint before a run, and before a yes: what the policy of an environment does about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from accord import conf
from accord.errors import ConfigurationError
from accord.events import Event
from accord.seam.registry import Registry
from accord.seam.types import Direction, Source, Step
from accord.testing import MemoryStore, make_step
from migrator import review
from migrator.engine.api import Migrations
from migrator.engine.events import RunNoted
from migrator.engine.linting import refuse_lint
from migrator.engine.plan import Plan
from migrator.engine.request import Request
from migrator.errors import LintRefused
from migrator.governance import policy
from migrator.governance.policy import Policy, Reaction
from migrator.governance.work import PlannedWork
from migrator.lint.finding import Severity
from migrator.models import PlanApproval, RunKind

CODE = '''"""What it does."""
token = "abc"
# lint: waive loop-without-end for good (team rooms): it is stopped from outside
while True:
    pass
'''


def step(**changes: Any) -> Step:
    source = Source(Path("shop/mongo_migrations/0001_a_name.py"), content=CODE.encode())
    return replace(make_step("mem:shop.0001_a_name"), source=source, **changes)


def run(asked: Policy, *, kind: RunKind = RunKind.APPLY, **changes: Any) -> list[str]:
    """Have a plan of one step looked at; return what is told."""
    told: list[Event] = []

    def report(event: Event) -> None:
        told.append(event)

    one = step(**changes)
    stores = {"mem": MemoryStore("mem", [one])}
    plan = Plan(direction=Direction.APPLY, steps=(one,), parents={})
    refuse_lint(stores, Request(kind=kind), plan, asked, conf.load(), report)
    return [event.note for event in told if isinstance(event, RunNoted)]


def test_an_error_lets_nothing_start() -> None:
    """Where the policy says refuse: with step, rule and safe way; what is waived stops nothing."""
    with pytest.raises(LintRefused) as caught:
        run(Policy(lint=Reaction.REFUSE))

    assert "mem:shop.0001_a_name" in caught.value.message
    assert "(error: secret)" in caught.value.message
    assert "loop-without-end" not in caught.value.message
    assert "docs/howto/lint-in-ci.md" in caught.value.hint


def test_a_policy_that_warns_tells_it_and_goes_on() -> None:
    """In the journal of the run, as a line each."""
    (note,) = run(Policy(lint=Reaction.WARN))

    assert note.startswith("Lint: mem:shop.0001_a_name: This looks like a secret")


@pytest.mark.parametrize(
    ("asked", "changes"),
    [
        (Policy(lint=Reaction.OFF), {}),
        (Policy(lint=Reaction.REFUSE, lint_rules={"secret": Severity.OFF}), {}),
        (Policy(lint=Reaction.REFUSE), {"kind": RunKind.REVERT}),
        (Policy(lint=Reaction.REFUSE), {"kind": RunKind.FAKE}),
        (Policy(lint=Reaction.REFUSE), {"third_party": True}),
        (Policy(lint=Reaction.REFUSE), {"foundation": True}),
    ],
)
def test_what_is_left_alone(asked: Policy, changes: dict[str, Any]) -> None:
    """An environment that doesn't ask, the way back, ledgers alone, and what others wrote."""
    assert run(asked, **changes) == []


def test_a_rule_weighs_what_the_policy_says() -> None:
    """A warning stops nothing, and a run has no more to say of it; whoever approves does see it."""
    assert run(Policy(lint=Reaction.REFUSE, lint_rules={"secret": Severity.WARNING})) == []


def test_a_rule_that_is_not_there_is_a_mistake() -> None:
    """A typing mistake never means that a rule weighs what it always does."""
    with pytest.raises(ConfigurationError) as caught:
        run(Policy(lint=Reaction.WARN, lint_rules={"secrets": Severity.OFF}))

    assert caught.value.hint == "Did you mean secret?"


@pytest.mark.parametrize("value", [["secret"], {"secret": "fatal"}, {"secret": True}])
def test_weights_are_checked(value: object) -> None:
    """As everything in a policy is."""
    with pytest.raises(ConfigurationError, match="lint_rules"):
        policy.parse({"production": {"lint_rules": value}})


def test_production_and_staging_warn_without_an_entry() -> None:
    """Rules are on where it matters, and an entry says otherwise."""
    policies = policy.parse({"qa": {"lint": "refuse"}, "staging": {}})

    assert policies.of("production").lint is Reaction.WARN
    assert policy.parse({}).of("staging").lint is Reaction.WARN
    assert policies.of("qa").lint is Reaction.REFUSE
    assert {policies.of(name).lint for name in ("staging", "development")} == {Reaction.OFF}


def test_whoever_approves_sees_what_lint_finds_and_what_is_waived() -> None:
    """Whatever the policy does about it."""
    one = step()
    work = PlannedWork(kind=RunKind.APPLY, direction=Direction.APPLY, steps=(one,))
    approval = PlanApproval(
        reference="f" * 32,
        kind=work.kind,
        direction="apply",
        target="",
        steps=work.bound,
        remaining=[str(one.key)],
    )
    stores = cast("Registry", {"mem": MemoryStore("mem", [one])})

    found = review._review(approval, Migrations(stores), stores).findings

    assert any("(error: secret) Safe: Read it from the settings" in text for text in found)
    assert any("waived, loop-without-end for good (team rooms): it is stopped" in text for text in found)
