"""Which steps of an erasure may be worked on."""

from __future__ import annotations

from dataclasses import replace

from gdpr.erasure.schedule import StepView, outlook
from gdpr.states import StepState as S


def step(entry: str, store: str, state: S = S.PENDING, *, again: bool = False) -> StepView:
    return StepView(entry=entry, store=store, again=again, state=state)


def free(*steps: StepView, held: frozenset[str] = frozenset()) -> list[str]:
    return [one.entry + "+" * one.again for one in outlook(steps, held).claimable]


def test_stores_do_not_wait_for_each_other() -> None:
    """The first step of each store is free, the second of a store is not."""
    assert free(step("a", "search"), step("b", "mongo"), step("c", "mongo"), step("d", "pg")) == [
        "a",
        "b",
        "d",
    ]


def test_failing_step_keeps_back_only_its_own_store() -> None:
    """A store that waits to retry lets the others finish."""
    waiting = replace(step("b", "mongo", S.RETRY_WAIT), due=False)

    found = outlook([step("a", "search", S.DONE), waiting, step("c", "mongo"), step("d", "pg")], ())

    assert [one.entry for one in found.claimable] == ["d"]
    assert found.waiting
    assert not found.finished


def test_second_pass_waits_for_the_whole_first() -> None:
    """Copies go again only when nothing is left that a late indexer could read."""
    again = step("a", "search", again=True)

    assert free(step("a", "search", S.DONE), step("d", "pg"), again) == ["d"]
    assert free(step("a", "search", S.DONE), step("d", "pg", S.DONE), again) == ["a+"]


def test_hold_on_an_entry_keeps_what_comes_after_it_in_its_store() -> None:
    """A parent can't go while its children are held; other stores go on."""
    steps = [step("plays", "mongo"), step("invoices", "pg"), step("people", "pg")]

    assert free(*steps, held=frozenset({"invoices"})) == ["plays"]
    assert outlook(steps, {"invoices"}).held


def test_step_of_a_living_worker_is_left_to_it_and_an_abandoned_one_taken() -> None:
    """Only a worker that is gone or silent loses its step."""
    running = step("a", "pg", S.RUNNING)

    assert free(running) == []
    assert outlook([running], ()).busy
    assert free(replace(running, abandoned=True)) == ["a"]


def test_manual_step_stops_nobody_but_is_not_finished() -> None:
    """A person has to act; meanwhile everything else is done."""
    steps = [step("letters", "pg", S.MANUAL), step("people", "pg")]

    assert free(*steps) == ["people"]
    done = outlook([steps[0], step("people", "pg", S.DONE)], ())
    assert (done.stuck, done.finished, list(done.claimable)) == (True, False, [])
