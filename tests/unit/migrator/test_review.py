"""What stands on the page on which a plan is approved, as it is looked up at that moment."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import pytest
from django.template.loader import render_to_string

from accord.seam.registry import Registry
from accord.seam.types import Direction, Origin, Step
from accord.testing import MemoryStore, make_lease, make_step
from migrator import review
from migrator.engine.api import Migrations
from migrator.errors import LossesUnseen
from migrator.governance.work import PlannedWork
from migrator.models import PlanApproval, RunKind

FIRST = make_step("mem:shop.0001_a")
FINAL = replace(make_step("mem:shop.0002_b", "mem:shop.0001_a"), irreversible="drops the names of people")
ADOPTED = replace(make_step("mem:shop.0003_c", "mem:shop.0002_b"), irreversible="<drops a table>")


def asked_for(*steps: Step, target: str = "--revert --to zero") -> PlanApproval:
    """Return the request that these steps be undone."""
    work = PlannedWork(kind=RunKind.REVERT, direction=Direction.REVERT, steps=steps, target=target)
    keys = [str(step.key) for step in steps]
    return PlanApproval(
        reference="f" * 32,
        kind=work.kind,
        direction="revert",
        target=target,
        steps=work.bound,
        remaining=keys,
    )


def looked_at(approval: PlanApproval) -> review.Review:
    """Look at a request; the first two steps were applied, and the third was adopted."""
    store = MemoryStore("mem", [FIRST, FINAL, ADOPTED])
    for step in (FIRST, FINAL):
        store.apply(step, make_lease())
    store.record(ADOPTED, make_lease(), Origin.ADOPTED)
    stores = cast("Registry", {"mem": store})
    return review._review(approval, Migrations(stores), stores)


def page_of(found: review.Review) -> str:
    return render_to_string("admin/migrator/planapproval/losses.html", {"review": found})


def test_what_can_not_be_undone_is_listed_with_its_reason_and_what_stays_apart_from_it() -> None:
    """Of an adopted step nothing has to be undone, so that nothing of it can be final."""
    found = looked_at(asked_for(ADOPTED, FINAL, FIRST))

    stuck, _, left = page_of(found).partition("plan-left")
    assert "mem:shop.0002_b: drops the names of people" in stuck
    assert "mem:shop.0003_c" not in stuck
    assert "<li>mem:shop.0003_c</li>" in left
    # What the adopted step would do is not said to be seen in its file: it does nothing.
    assert not [text for text in found.findings if "in their files only" in text]


def test_plan_that_applies_lists_nothing_to_undo() -> None:
    """On the way forward a finding says what there will be no way back from."""
    forward = asked_for(FINAL, target="")
    forward.kind, forward.direction = RunKind.APPLY, "apply"
    found = looked_at(forward)

    assert (found.stuck, found.left, found.reverts) == ([], [], False)
    assert page_of(found).strip() == ""
    assert f"{FINAL.key} can't be undone: {FINAL.irreversible}" in found.findings


@pytest.mark.parametrize("losses", [["table shop: 3 rows"], [f"table t{n}: 1 row" for n in range(9)], []])
def test_refusal_names_what_goes_and_the_word_that_is_missing(
    monkeypatch: pytest.MonkeyPatch, losses: list[str]
) -> None:
    """The first of many, and how many more; where nobody could count, that."""
    seen: Any = review.Review(losses=losses, uncounted=not losses, reverts=True)
    monkeypatch.setattr(review, "review", lambda _approval: seen)

    with pytest.raises(LossesUnseen) as refused:
        review._refuse_unseen(asked_for(FIRST))

    assert all(line in refused.value.message for line in losses[:5])
    assert ("4 more things" in refused.value.message) is (len(losses) == 9)
    assert ("can't be asked" in refused.value.message) is (not losses)
    assert "--seen" in refused.value.hint
