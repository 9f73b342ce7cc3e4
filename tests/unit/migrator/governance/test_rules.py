"""Conventions of pending steps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from accord.types import Source, Step, StepKey
from migrator.errors import ConventionBroken
from migrator.governance.policy import RULES
from migrator.governance.rules import broken, refuse_broken

GOOD = '"""Playlists."""\n\nclass Migration:\n    owner = "team music"\n'


def step(name: str = "0002_playlists", text: str = GOOD, app: str = "music") -> Step:
    """Make a step with a content."""
    return Step(
        key=StepKey("mongo", app, name), source=Source(path=Path(f"{name}.py"), content=text.encode())
    )


def rules_broken(*steps: Step, applied: tuple[str, ...] = ()) -> list[str]:
    """Name the conventions that steps break."""
    return [item.rule for item in broken(RULES, steps, {StepKey.parse(key) for key in applied})]


def test_good_step_breaks_nothing() -> None:
    """All conventions can be kept at once."""
    assert rules_broken(step(), applied=("mongo:music.0001_first", "pg:music.0009_other_store")) == []


@pytest.mark.parametrize(
    "name", ["playlists", "02_playlists", "0002_auto_20260101_1200", "0002-x", "0002_Big"]
)
def test_name_says_what_the_step_does(name: str) -> None:
    """Number, then words; words that a machine made say nothing."""
    assert "name" in rules_broken(step(name))


def test_later_numbers_come_later() -> None:
    """A squash stands for old numbers, and may."""
    late = step("0002_late")

    assert rules_broken(late, applied=("mongo:music.0003_applied",)) == ["version_order"]
    squash = replace(late, replaces=(StepKey("mongo", "music", "0001_first"),))
    assert rules_broken(squash, applied=("mongo:music.0003_applied",)) == []


def test_docstring_and_owner_are_missing() -> None:
    """An empty one is none."""
    assert rules_broken(step(text="x = 1")) == ["docstring", "owner"]
    assert rules_broken(step(text='""" """\nOWNER = ""')) == ["docstring", "owner"]
    assert rules_broken(step(text='"""Yes."""\nOWNER = "team music"')) == []


def test_one_way_step_states_its_reason() -> None:
    """That an operation has no reverse is not a reason."""
    one_way = replace(step(), irreversible="“Raw SQL operation” has no reverse.")
    stated = replace(step(text=GOOD + '    irreversible = "Data are gone."\n'), irreversible="Data are gone.")

    assert rules_broken(one_way) == ["reversible"]
    assert rules_broken(stated) == []


def test_steps_of_others_are_left_alone() -> None:
    """A package's files, and the suite's own, are not the project's to name."""
    bad = step("x", text="")

    assert rules_broken(replace(bad, third_party=True), replace(bad, foundation=True)) == []
    assert rules_broken(step("x", text="", app="gdpr")) == []


def test_refusal_names_all() -> None:
    """One answer is enough to mend everything."""
    with pytest.raises(ConventionBroken) as caught:
        refuse_broken(RULES, [step("one", text=""), step("two", text="")], ())

    assert caught.value.message.count("\n") == 6
