"""The suite's own migrations, the sample's, and the page of rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.errors import ConfigurationError
from accord.seam.registry import opened
from migrator.lint import looking, registry
from migrator.lint.finding import Severity
from migrator.lint.linter import Linter
from migrator.lint.looking import Wanted
from migrator.lint.rule import Rule
from tests.fix_lint import TODAY

ROOT = Path(__file__).resolve().parents[4]
OURS = ("accord", "gdpr", "migrator")
WORDS = ("check-validating", "accord_auditevent")
"""Each version's list of events is checked against the trail once, while it is upgraded."""


def errors(*apps: str) -> set[str]:
    with opened() as stores:
        report = Linter(registry.rules({}), {}, TODAY).look(looking.subjects(stores, Wanted(apps=apps)))
    assert report.looked_at > 10
    return {
        f"{one.key}: {one.rule}, line {one.line}"
        for one in report.at_least(Severity.ERROR)
        if (one.rule, one.table) != WORDS
    }


@pytest.mark.parametrize("apps", [OURS, ()], ids=["the suite", "the sample"])
def test_no_error_stands_in_what_we_ship(apps: tuple[str, ...]) -> None:
    """Whatever there is, is waived in its place with a reason: write the safe way, or a waiver."""
    assert errors(*apps) == set()


def test_the_page_has_every_rule() -> None:
    """Word, weight, sentence and safe way are those of the code, in its order."""
    rows = (ROOT / "docs" / "reference" / "lint.md").read_text(encoding="utf-8").splitlines()

    assert [row for row in rows if row.startswith("| `")] == [
        f"| `{rule.id}` | {rule.severity} | {rule.title} | {rule.safe} |" for rule in registry.own().values()
    ]


OWN = Rule(id="shop-own", title="Ours.", safe="Ask us.", check=lambda _subject: ())
TWICE = [OWN, OWN]


def test_a_project_adds_rules() -> None:
    """By the dotted path of one, or of a list."""
    assert registry.rules({"rules": [f"{__name__}.OWN"]})["shop-own"] is OWN


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"rule": []}, "is not a setting"),
        ({"rules": ["nowhere.RULES"]}, "can't be imported"),
        ({"rules": ["pathlib.Path"]}, "is no rule"),
        ({"rules": [f"{__name__}.TWICE"]}, "called “shop-own”"),
    ],
)
def test_what_is_no_rule_is_refused(settings: dict[str, object], says: str) -> None:
    """A typing mistake never means “no rule”."""
    with pytest.raises(ConfigurationError) as caught:
        registry.rules(settings)

    assert says in caught.value.message
