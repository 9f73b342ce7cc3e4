"""The machine of revisions, on a ledger in memory: what it records when, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from accord.errors import (
    ChecksumMismatch,
    ConflictingState,
    IrreversibleStep,
    LeaseLost,
    StepFailed,
    StoreUnavailable,
)
from accord.events import StepNoted, silent
from accord.revisions import operation
from accord.revisions.entry import EntryState, StepEntry, from_json, to_json
from accord.revisions.ledger import Work, nothing_else, stale
from accord.revisions.loader import LoadedRevision
from accord.revisions.progress import Batch, Progress
from accord.revisions.runner import Runner
from accord.revisions.store import RevisionStore, Show
from accord.seam.stores import StoreInfo
from accord.seam.types import (
    Direction,
    Language,
    Lease,
    Origin,
    Probe,
    Source,
    Statement,
    Step,
    StepKey,
    StepOutcome,
)
from accord.testing import RecordingReporter, make_lease

KEY = StepKey("toy", "music", "0001_toys")


class Ledger:
    """A ledger that is a dictionary, and remembers each state that it was in."""

    transactional = True

    def __init__(self) -> None:
        self.entries_by_key: dict[StepKey, StepEntry] = {}
        self.written: list[tuple[EntryState, int]] = []
        self.fence = 0

    def entries(self) -> Iterable[StepEntry]:
        return self.entries_by_key.values()

    def entry(self, key: StepKey, lease: Lease) -> StepEntry | None:
        self._admit(key, lease)
        return self.entries_by_key.get(key)

    def commit(self, entry: StepEntry, lease: Lease, work: Work = nothing_else) -> StepEntry:
        self._admit(entry.key, lease)
        made = work(entry, None).stamped(lease)
        self.entries_by_key[made.key] = made
        self.written.append((made.state, made.operations_done))
        return made

    def strike(self, key: StepKey, lease: Lease) -> None:
        self._admit(key, lease)
        del self.entries_by_key[key]

    def _admit(self, key: StepKey, lease: Lease) -> None:
        if lease.fence < self.fence:
            raise stale(key, lease)
        self.fence = lease.fence


@dataclass(frozen=True)
class Toy(operation.Operation[Progress]):
    """Puts a name into a set; does whatever it is told before."""

    name: str
    before: Callable[[], object] = print
    look: Callable[[], object] = print
    needs_saved: bool = False
    batches: int = 0

    @property
    def title(self) -> str:
        return f"put {self.name}"

    def capture(self, context: Progress) -> Mapping[str, Any]:
        self.look()
        return {"seen": self.name}

    def apply(self, context: Progress) -> int:
        self.before()
        for left in reversed(range(self.batches)):
            batch = Batch(changed=1, checkpoint={"left": left} if left else None)
            context.exactly_once(partial(_come_to, batch))
        WORLD.add(self.name)
        return 1

    def revert(self, context: Progress) -> int:
        WORLD.discard(self.name)
        return 1


def _come_to(batch: Batch, _: object) -> Batch:
    return batch


WORLD: set[str] = set()


class ToyStore(RevisionStore[Toy]):
    """As little as a store may be."""

    def __init__(self) -> None:
        super().__init__("toy")
        self.ledger = Ledger()

    def ping(self) -> StoreInfo:
        return StoreInfo(alias="toy", kind="toy", version="1")

    def connected_ledger(self) -> Ledger:
        return self.ledger

    def context(self, progress: Progress) -> Progress:
        return progress

    def renderer(self, *, offline: bool) -> Show[Toy]:
        return lambda _, toy, direction: [Statement(text=f"{direction} {toy.name}", language=Language.PYTHON)]

    def probe(self, steps: Sequence[Step]) -> Iterator[Probe]:
        yield from ()

    def was_answer_lost(self, exc: Exception) -> bool:
        return isinstance(exc, StoreUnavailable)


@dataclass
class Table:
    """A store and a way to run operations on it."""

    store: ToyStore = field(default_factory=ToyStore)
    heard: RecordingReporter = field(default_factory=RecordingReporter)

    def runner(self, *toys: Toy, lease: Lease | None = None, text: str = "x = 1") -> Runner:
        step = Step(key=KEY, source=Source(Path("0001_toys.py"), text.encode()))
        return Runner(
            store=self.store,
            revision=LoadedRevision(step=step, operations=toys),
            ledger=self.store.ledger,
            lease=lease or make_lease(),
            report=self.heard,
        )

    def apply(self, *toys: Toy, **options: Any) -> StepOutcome:
        return self.runner(*toys, **options).apply()

    def revert(self, *toys: Toy, **options: Any) -> StepOutcome:
        return self.runner(*toys, **options).revert()

    @property
    def entry(self) -> StepEntry:
        return self.store.ledger.entries_by_key[KEY]


@pytest.fixture
def table() -> Table:
    WORLD.clear()
    return Table()


def fail(error: Exception) -> Callable[[], object]:
    """Make something that raises."""

    def raising() -> object:
        raise error

    return raising


def test_step_of_n_operations_is_n_and_one_writes(table: Table) -> None:
    """The intent of an operation carries the outcome of the one before."""
    outcome = table.apply(Toy("a"), Toy("b"))

    assert table.store.ledger.written == [
        (EntryState.APPLYING, 0),
        (EntryState.APPLYING, 1),
        (EntryState.APPLIED, 2),
    ]
    assert (outcome.changed, table.entry.finished) == (2, tuple(table.runner(Toy("a"), Toy("b"))._digests))


def test_operation_in_batches_records_its_own_end(table: Table) -> None:
    """What a batch changed is counted once, in the write that it shares."""
    outcome = table.apply(Toy("a", batches=3), Toy("b"))

    assert outcome.changed == 4
    assert (
        table.store.ledger.written.count((EntryState.APPLYING, 1)) == 2
    )  # end of the first, begin of the second


def test_operation_that_looks_and_refuses_leaves_no_entry(table: Table) -> None:
    """A step that never began is not half applied."""
    with pytest.raises(ConflictingState):
        table.apply(Toy("a", look=fail(ConflictingState("taken"))))

    assert table.store.ledger.entries_by_key == {}


def test_what_is_done_is_on_record_when_the_next_one_refuses(table: Table) -> None:
    """So the file may not be edited there, and the refused one left nothing that a revert would undo."""
    refusing = Toy("b", look=fail(ConflictingState("taken")))
    with pytest.raises(ConflictingState):
        table.apply(Toy("a"), refusing)

    assert (table.entry.operations_done, set(table.entry.saved)) == (1, {"0"})
    with pytest.raises(ChecksumMismatch):
        table.apply(Toy("c"), refusing)
    table.revert(Toy("a"), refusing)
    assert set() == WORLD


def test_shortened_file_is_an_edited_one(table: Table) -> None:
    """An operation that is done and no longer declared is refused like another one in its place."""
    with pytest.raises(StepFailed):
        table.apply(Toy("a"), Toy("b"), Toy("c", before=fail(KeyError("c"))))

    for toys in ([Toy("a")], [Toy("b"), Toy("a")], []):
        with pytest.raises(ChecksumMismatch, match="after 2 of its operations"):
            table.apply(*toys)
    assert table.apply(Toy("a"), Toy("b")).changed == 2


def test_begun_operation_is_undone_and_one_that_never_began_is_not(table: Table) -> None:
    """The ledger says which."""
    with pytest.raises(StepFailed):
        table.apply(Toy("a"), Toy("b", before=fail(KeyError("b"))), Toy("c"))
    WORLD.add("c")

    table.revert(Toy("a"), Toy("b"), Toy("c"))

    assert {"c"} == WORLD
    assert table.store.ledger.entries_by_key == {}


def test_facts_belong_to_the_operation_that_put_them_away(table: Table) -> None:
    """One that took the place of another looks for itself; the same one keeps what it saw first."""
    with pytest.raises(StepFailed):
        table.apply(Toy("a", before=fail(KeyError("a"))))
    seen = table.entry.saved["0"]
    with pytest.raises(StepFailed):
        table.apply(Toy("a", before=fail(KeyError("a")), look=fail(AssertionError("looked again"))))
    assert table.entry.saved["0"] == seen

    table.apply(Toy("b"))

    assert table.entry.saved["0"] == {"title": "put b", "seen": "b"}


def test_lost_answer_is_looked_for_three_times(table: Table) -> None:
    """Then it is told; an error that is no lost answer is told at once."""
    tries: list[int] = []

    def lose() -> None:
        tries.append(1)
        if len(tries) % 3:
            raise StoreUnavailable("no answer")

    table.apply(Toy("a", before=lose))
    assert len(tries) == 3
    assert len([event for event in table.heard.of(StepNoted) if "looking again" in event.note]) == 2

    tries.clear()
    table.revert(Toy("a"))
    with pytest.raises(StoreUnavailable):
        table.apply(Toy("a", before=fail(StoreUnavailable("no answer"))))


def test_lost_lease_stops_before_the_next_write(table: Table) -> None:
    """Neither ledger nor data move once the guard says no."""
    held = [None, None, None]

    def guard() -> None:
        if not held:
            raise LeaseLost("gone")
        held.pop()

    lease = Lease(scope="test", owner="test", run_id="run", fence=1, guard=guard)
    with pytest.raises(LeaseLost):
        table.apply(Toy("a"), Toy("b"), lease=lease)

    assert {"a"} == WORLD
    assert table.store.ledger.written == [(EntryState.APPLYING, 0)]


class Seen(Toy):
    """Looks whether its name is in the set."""

    def left_something(self, context: Progress, *, begun: bool) -> bool:
        return begun and self.name in WORLD


@pytest.mark.parametrize("tries", [1, 2])
def test_refused_first_operation_is_as_if_it_had_never_begun(table: Table, tries: int) -> None:
    """A look shows that nothing of it stands, so nothing is on record."""
    for _ in range(tries):
        with pytest.raises(StepFailed):
            table.apply(Seen("a", before=fail(KeyError("a"))))

    assert table.store.ledger.entries_by_key == {}


def test_refused_later_operation_keeps_what_is_done(table: Table) -> None:
    """And no facts of its own, which the next one in its place might take for its."""
    with pytest.raises(StepFailed):
        table.apply(Toy("a"), Seen("b", before=fail(KeyError("b"))))

    assert (table.entry.operations_done, set(table.entry.saved)) == (1, {"0"})


@pytest.mark.parametrize("error", [LeaseLost("gone"), StoreUnavailable("no answer"), KeyboardInterrupt()])
def test_what_was_not_refused_stays_begun(table: Table, error: BaseException) -> None:
    """Whoever lost the answer, the lease or their life can't know what the server did."""

    def end() -> None:
        raise error

    with pytest.raises(type(error)):
        table.apply(Seen("a", before=end))

    assert table.entry.state is EntryState.APPLYING


def test_operation_in_another_ones_place_undoes_nothing(table: Table) -> None:
    """The one that was under way is what would have to be undone."""
    with pytest.raises(StepFailed):
        table.apply(Toy("a"), Toy("b", before=fail(KeyError("b"))))

    with pytest.raises(ChecksumMismatch, match="“put b” was under way"):
        table.revert(Toy("a"), Toy("c"))


def test_adopted_step_is_undone_by_leaving_everything(table: Table) -> None:
    """Also what would need what it kept; what a run of ours did before the adoption is undone."""
    WORLD.update("ab")
    adopted = StepEntry(key=KEY, state=EntryState.APPLIED, operations_done=2, how=Origin.ADOPTED)
    table.store.ledger.entries_by_key[KEY] = replace(adopted, saved={"0": {"title": "put a"}})

    outcome = table.revert(Toy("a"), Toy("b", needs_saved=True))

    assert {"b"} == WORLD
    assert outcome.detail == "left, because it was found there: put b"


def test_recorded_step_has_nothing_to_put_back(table: Table) -> None:
    """An operation that needs what it kept can't be undone by a step that was only recorded."""
    table.store.ledger.entries_by_key[KEY] = StepEntry(key=KEY, state=EntryState.APPLIED, operations_done=1)

    with pytest.raises(IrreversibleStep, match="only recorded"):
        table.revert(Toy("a", needs_saved=True))


def test_error_of_a_function_tells_its_kind_and_place_alone(table: Table) -> None:
    """The words of a foreign exception may be somebody's data."""
    with pytest.raises(StepFailed) as caught:
        table.apply(Toy("a", before=fail(ValueError("ada@example.org"))))

    assert (
        "toy:music.0001_toys, operation 1, put a: the function raised ValueError at" in caught.value.message
    )
    assert "ada@" not in caught.value.message


@pytest.mark.parametrize(
    "entry",
    [
        StepEntry(key=KEY),
        StepEntry(
            key=KEY,
            state=EntryState.REVERTING,
            checksum="1:ab",
            fingerprint="ab",
            run_id="run",
            fence=3,
            applied_at=datetime(2026, 1, 1, tzinfo=UTC),
            operations_done=2,
            finished=("a", "b"),
            checkpoint={"last": 5},
            saved={"0": {"title": "put a"}},
            changed=7,
        ),
        StepEntry(key=KEY, state=EntryState.APPLIED, how=Origin.ADOPTED),
    ],
)
def test_entry_comes_back_from_json_as_it_was(entry: StepEntry) -> None:
    """A ledger that is a document loses nothing."""
    assert from_json(KEY, to_json(entry)) == entry


def test_stores_verbs_need_nothing_but_a_ledger() -> None:
    """Recording keeps what is known of a half applied step; forgetting forgets once."""
    store, lease = ToyStore(), make_lease()
    step = Step(key=KEY, source=Source(Path("0001_toys.py"), b""))
    store._revisions = {KEY: LoadedRevision(step=step, operations=(Toy("a"),))}
    store.ledger.entries_by_key[KEY] = StepEntry(key=KEY, saved={"0": {"title": "put a"}})

    store.record(step, lease, Origin.RECORDED)
    assert store.applied()[KEY].checksum == step.source.checksum
    assert store.ledger.entries_by_key[KEY].saved == {"0": {"title": "put a"}}
    assert store.apply(step, lease, silent).already
    [(_, shown)] = store.explain([step], Direction.REVERT)
    assert [statement.text for statement in shown] == ["revert a"]
    store.forget(step, lease)
    store.forget(step, lease)
    assert not store.recorded().begun
