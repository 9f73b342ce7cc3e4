"""What a look at the live stores says when it could not look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
from django.core.management.color import no_style

from accord.errors import ExitCode
from accord.events import Event
from accord.seam.differences import Difference, DifferenceKind
from accord.seam.registry import Registry
from accord.seam.types import BegunStep, Direction, Origin, Presence, Probe, Source, Step, StepKey
from accord.seam.undeclared import Undeclared
from accord.testing import MemoryServer, MemoryStore, make_lease, make_step
from migrator.cli.render_looks import live_document, live_lines
from migrator.engine.events import RunNoted
from migrator.engine.live import LiveLook, look_live
from migrator.engine.live_preflight import refuse_drifted
from migrator.engine.live_settings import LiveSettings
from migrator.engine.plan import Plan, Target
from migrator.engine.request import Request
from migrator.engine.situation import read_situation
from migrator.errors import LiveStoresDiffer
from migrator.governance.policy import Reaction
from migrator.models import RunKind

KEY = StepKey("mongodb", "shop", "0001_first")


def said(found: LiveLook) -> str:
    """Return the last line of an answer."""
    return list(live_lines(found, no_style()))[-1]


def test_what_could_not_be_looked_at_is_never_told_as_well() -> None:
    """A part that no look can tell, and a store that can't be asked, each show in the last line."""
    assert (
        said(LiveLook(looked_in={"mongodb": 3}))
        == "3 applied steps looked at: the stores are as they describe."
    )
    partly = said(LiveLook(looked_in={"mongodb": 3}, unknown=((KEY, "It changes documents only."),)))
    assert partly == "3 applied steps looked at: no difference, and 1 thing could not be looked at."
    assert "describe" not in said(LiveLook(looked_in={"mongodb": 0}))


def test_store_that_cannot_be_asked_at_all_is_a_failure() -> None:
    """Beside others that were looked at it is told; alone it leaves nothing that could be said."""
    assert LiveLook(looked_in={"mongodb": 0}, unasked=("lite",)).exit_code is ExitCode.FAILED
    assert LiveLook(looked_in={"mongodb": 3}, unasked=("lite",)).exit_code is ExitCode.DONE
    assert LiveLook(looked_in={"mongodb": 0}).exit_code is ExitCode.DONE


GONE = Difference(kind=DifferenceKind.MISSING, text="The index a is missing.")
MORE = Difference(
    kind=DifferenceKind.EXTRA, text="The column b is there, and no model declares it.", thing="table.b"
)
A, B = make_step("mem:shop.0001_a"), make_step("mem:shop.0002_b", "mem:shop.0001_a")
SILENT = make_step("mute:shop.0001_a")


class Asked(MemoryStore):
    """A store of which two steps tell the same differences, and that holds more than they declare."""

    product = "memory"
    unproved: tuple[str, ...] = ()

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        for step in steps:
            yield Probe(
                key=step.key, presence=Presence.PARTIAL, findings=(GONE, MORE), unproved=self.unproved
            )

    def taken(self) -> Collection[str]:
        return (f"of_{self.alias}",)

    def undeclared(self, steps: Sequence[Step]) -> Iterator[Undeclared]:
        assert steps
        for name in ("by_hand", "of_mem", "of_twin", "accord_ledger"):
            if name != f"of_{self.alias}":
                yield Undeclared(what="table", name=name)
        yield Undeclared(what="index", name="by_hand", of="things")


class Mute(MemoryStore):
    """A store that can't be asked."""

    probe = None  # type: ignore[assignment]  # no such method


def stores_with(*applied: Step) -> Mapping[str, MemoryStore]:
    """Give a store that differs, and one that can't be asked, with steps that their ledgers hold."""
    mem, mute = Asked("mem", (A, B), server=MemoryServer()), Mute("mute", (SILENT,), server=MemoryServer())
    stores: Mapping[str, MemoryStore] = {"mem": mem, "mute": mute}
    for step in applied:
        stores[step.key.store].record(step, make_lease(), Origin.ADOPTED)
    return stores


def looked(target: Target = Target(), ignore: tuple[str, ...] = ()) -> LiveLook:  # noqa: B008 - frozen
    """Look at a store that differs, and at one that can't be asked."""
    stores = stores_with(A, B, SILENT)
    return look_live(stores, read_situation(cast("Registry", stores)), target, LiveSettings(ignore=ignore))


def test_kind_of_a_difference_is_its_own_and_not_its_steps() -> None:
    """An extra beside a missing thing of the same step stays an extra; each is told once."""
    found = looked()

    assert [(one.difference, one.keys) for one in found.differences] == [
        (GONE, (A.key, B.key)), (MORE, (A.key, B.key)),
    ]  # fmt: skip
    document = live_document(found)
    assert [one["kind"] for one in document["differences"]] == ["missing", "extra"]
    told = list(live_lines(found, no_style()))
    assert "  The index a is missing.  (mem:shop.0002_b)" in told
    assert "  The column b is there, and no model declares it." in told


def test_store_that_cannot_be_asked_is_named_beside_the_others() -> None:
    """Whatever else is found, and alone."""
    assert (looked().unasked, looked().looked_in) == (("mute",), {"mem": 2})
    alone = looked(Target(stores=("mute",)))
    assert (alone.unasked, alone.exit_code) == (("mute",), ExitCode.FAILED)


# --- before a run --------------------------------------------------------------------------------------


def before_a_run(
    policy: Reaction, *, stores: Sequence[str] = ("mem", "mute"), **request: object
) -> list[str]:
    """Look as a run does that takes the second steps; give what it is told."""
    opened = stores_with(A, SILENT)
    situation = read_situation(cast("Registry", opened))
    steps = [step for step in (B, SILENT) if step.key.store in stores]
    plan = Plan(direction=Direction.APPLY, steps=tuple(steps), parents={})
    told: list[str] = []

    def report(event: Event) -> None:
        assert isinstance(event, RunNoted)
        told.append(event.note)

    refuse_drifted(opened, Request(**request), plan, situation, policy, report, LiveSettings())  # type: ignore[arg-type]
    return told


def test_policy_decides_whether_a_run_starts_on_what_differs() -> None:
    """It refuses with the differences and the next move, warns of each, or doesn't look."""
    with pytest.raises(LiveStoresDiffer, match="The index a is missing") as caught:
        before_a_run(Reaction.REFUSE)
    assert caught.value.exit_code is ExitCode.DRIFT
    assert "migrate_all --check-live" in caught.value.hint

    assert before_a_run(Reaction.WARN) == [
        "Not looked for live drift in “mute”: it can't be asked.",
        "Live drift in “mem”: The index a is missing.",
        "Live drift in “mem”: The column b is there, and no model declares it.",
    ]
    assert before_a_run(Reaction.OFF) == []


@pytest.mark.parametrize("kind", [RunKind.BASELINE, RunKind.FAKE, RunKind.FORGET])
def test_what_settles_drift_is_not_refused_for_it(kind: RunKind) -> None:
    """Nor is a rebuild, which is for what is gone."""
    assert before_a_run(Reaction.REFUSE, kind=kind) == []
    assert before_a_run(Reaction.REFUSE, rebuild=True) == []


def test_only_stores_that_take_part_are_looked_at() -> None:
    """A run of another store says nothing of this one."""
    told = before_a_run(Reaction.REFUSE, stores=("mute",))

    assert told == ["Not looked for live drift in “mute”: it can't be asked."]


def test_store_with_a_half_done_step_is_left_out_and_that_is_told() -> None:
    """What the step has left would look like drift, and only a run can end it."""
    opened = stores_with(A)
    situation = replace(read_situation(cast("Registry", opened)), begun={B.key: BegunStep(key=B.key)})
    told: list[str] = []
    plan = Plan(direction=Direction.APPLY, steps=(B,), parents={})

    def report(event: Event) -> None:
        assert isinstance(event, RunNoted)
        told.append(event.note)

    refuse_drifted(opened, Request(), plan, situation, Reaction.REFUSE, report, LiveSettings())

    assert told == ["Not looked for live drift in “mem”: a step of it is half done."]


# --- what nobody declares ------------------------------------------------------------------------------


def beside(*sources: str, ignore: tuple[str, ...] = (), unproved: tuple[str, ...] = ()) -> list[str]:
    """Look at a store beside a twin in the same database, with such files; give what nobody declares."""
    return [one.thing for _, one in twins(*sources, ignore=ignore, unproved=unproved).undeclared]


def twins(*sources: str, ignore: tuple[str, ...] = (), unproved: tuple[str, ...] = ()) -> LiveLook:
    """Look at a store beside a twin in the same database, with such files."""
    step, other = (
        replace(make_step(f"{alias}:shop.0001_a"), source=text_source(source))
        for alias, source in zip(("mem", "twin"), (*sources, "", "")[:2], strict=True)
    )
    mem, twin = Asked("mem", (step,), server=MemoryServer()), Asked("twin", (other,), server=MemoryServer())
    mem.unproved = unproved
    mem.record(step, make_lease(), Origin.ADOPTED)
    stores = {"mem": mem, "twin": twin}
    situation = read_situation(cast("Registry", stores))
    found = look_live(stores, situation, Target(stores=("mem",)), LiveSettings(ignore=ignore))
    assert found.looked_in == {"mem": 1}
    return found


def text_source(text: str) -> Source:
    """Return a file of this text."""
    return Source(path=Path("0001_a.py"), content=text.encode())


def test_things_that_nobody_declares_are_told_and_are_no_drift() -> None:
    """Not those of the suite, nor those that another store of the product takes or names in its files."""
    assert beside() == ["by_hand", "things.by_hand"]
    assert beside("", "CREATE TABLE by_hand (id int)") == []
    assert beside("", "by_hand_too") == ["by_hand", "things.by_hand"]
    found = replace(looked(), differences=())
    assert found.exit_code is ExitCode.DONE
    assert "  mem: The index by_hand of things is there, and no step declares it." in list(
        live_lines(found, no_style())
    )
    assert said(found).endswith(
        "no difference, 3 things that no step declares, and 1 thing could not be looked at."
    )
    assert live_document(found)["undeclared"][0]["thing"] == "by_hand"


def test_what_a_function_or_sql_of_a_steps_own_names_may_be_its_doing() -> None:
    """Of a step that can be looked at as a whole, its definition alone counts."""
    sql = "RunSQL('CREATE TABLE by_hand (id int)')"

    assert beside(sql) == ["by_hand", "things.by_hand"]
    assert beside(sql, unproved=("SQL of its own.",)) == []
    column = twins("RunSQL('ALTER TABLE things ADD b int')", unproved=("SQL of its own.",))
    assert [one.difference for one in column.differences] == [GONE]


def test_patterns_of_the_settings_are_left_alone() -> None:
    """By the thing, or by store and thing; an extra column or index, too."""
    assert beside(ignore=("by_*",)) == ["things.by_hand"]
    assert beside(ignore=("mem:*.by_hand", "twin:by_hand")) == ["by_hand"]
    assert [one.difference for one in looked(ignore=("table.*",)).differences] == [GONE]


def test_one_app_alone_says_nothing_of_what_else_is_there() -> None:
    """Other apps may declare it."""
    assert looked(Target(app="shop")).undeclared == ()
