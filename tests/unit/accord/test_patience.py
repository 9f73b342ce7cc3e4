"""How long a step stands in the queue for a lock, how long it stays out, and what is told of who is there."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest

from accord import conf, stopping
from accord.errors import ConfigurationError, Interrupted, InvalidRevision, LeaseLost, LockNotFree
from accord.events import StepWaited
from accord.locks.blockers import Blocker, beckoning, skeleton, wait_of
from accord.locks.patience import OFF, Behind, Patience, of_environment, parse, parse_waiver
from accord.locks.trying import Tries
from accord.seam.types import StepKey
from accord.testing import RecordingReporter, make_lease
from tests.chance import chance

QUICK = Patience(lock_timeout=1.0, budget=5.0)


SEEN = ("AccessExclusiveLock", "shop_item", 812, "app", "gunicorn", "active", 3.0, "SELECT 1", 4711)
"""What the server answers to the question whom we wait for."""


class KeptOut(Exception):
    """What a driver raises."""

    sqlstate = "55P03"


class Clock:
    """Time that passes while somebody sleeps, and in tries."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Give the seconds that passed."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Pass them."""
        self.now += seconds


@contextmanager
def blind() -> Iterator[Any]:
    """Give a way to look that sees one session in the way."""
    yield lambda _: [SEEN]


def tries(clock: Clock, **changed: Any) -> Tries:
    """Give the tries of a step, in a time of the test's own."""
    given: dict[str, Any] = {
        "key": StepKey("default", "shop", "0002_stock"),
        "patience": QUICK,
        "lease": make_lease(),
        "report": RecordingReporter(),
        "beside": blind,
        "pid": lambda: 7,
        "clock": clock,
        "sleep": clock.sleep,
        "chance": lambda: 0.5,
        **changed,
    }
    return Tries(**given)


def test_each_try_stands_twice_as_long_and_none_longer_than_allowed() -> None:
    """Most queues are short, and the application is never held up for longer than `lock_timeout`."""
    patience = Patience(lock_timeout=2.0)

    assert [patience.timeout(attempt) for attempt in range(6)] == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0]
    assert Patience(lock_timeout=0.05).timeout(0) == 0.05


def test_what_nobody_asked_for_holds_no_query_up_for_longer_than_a_tenth_of_a_second() -> None:
    """Patience grows by number and pause; by length only where the policy or the step allows that."""
    assert {Patience().timeout(attempt) for attempt in range(40)} == {0.1}


def test_pauses_never_reach_beyond_the_budget() -> None:
    """Random budgets, times and dice: a pause ends within it, and after the second try there is an end."""
    drawn = chance("patience")
    for _ in range(300):
        patience = Patience(lock_timeout=drawn.random() + 0.01, budget=drawn.random() * 100)
        attempt, spent = drawn.randrange(40), drawn.random() * 150
        pause = patience.pause(attempt, spent, drawn.random())
        if pause is None:
            assert attempt
            assert spent >= patience.budget
        else:
            assert 0 <= pause <= max(patience.budget - spent, 0.0)


def test_nothing_is_told_or_opened_while_nobody_is_in_the_way() -> None:
    """The first try that gets through costs its own statements alone."""
    clock, report = Clock(), RecordingReporter()

    @contextmanager
    def never() -> Iterator[Any]:
        raise AssertionError("a connection was opened")
        yield

    assert tries(clock, report=report, beside=never).through(lambda seconds: seconds) == 0.1
    assert (report.events, clock.now) == ([], 0.0)


def test_it_is_done_again_until_nobody_is_in_the_way() -> None:
    """Each try begins afresh, and between them who is in the way is told."""
    clock, report, again, given = Clock(), RecordingReporter(), [], []

    def act(seconds: float | None) -> str:
        given.append(seconds)
        clock.now += seconds or 0
        if len(given) < 6:
            raise KeptOut
        return "done"

    done = tries(clock, report=report).through(act, afresh=lambda: again.append(True))

    assert (done, given, len(again)) == ("done", [0.1, 0.2, 0.4, 0.8, 1.0, 1.0], 5)
    waits = report.of(StepWaited)
    assert [wait.tries for wait in waits] == [1, 2, 3, 4, 5]
    assert "pid 812 (user app, application “gunicorn”, active" in waits[-1].words


def test_the_budget_ends_it_and_names_who_is_in_the_way() -> None:
    """Wall time counts, pauses included; the error says where nothing of the step stands."""
    clock = Clock()

    def act(seconds: float | None) -> None:
        clock.now += seconds or 0
        raise KeptOut

    with pytest.raises(LockNotFree, match=r"AccessExclusiveLock on shop_item.*pid 812") as caught:
        tries(clock).through(act)

    assert QUICK.budget <= clock.now <= QUICK.budget + QUICK.lock_timeout
    assert "Nothing of it stands" in caught.value.hint


@pytest.mark.parametrize(("refusal", "tried"), [("55P03", [0, 2]), ("42501", [0, 1, 2]), ("", [0, 1, 2])])
def test_before_it_tries_again_it_stands_where_nobody_waits_behind_it(refusal: str, tried: list[int]) -> None:
    """Not free there, a try would be for nothing; where it can't be asked, the try itself tells."""
    clock, beckoned, acted = Clock(), list[str](), list[int]()

    def beckon(relation: str) -> None:
        beckoned.append(relation)
        if len(beckoned) == 1 and refusal:
            error = KeptOut()
            error.sqlstate = refusal
            raise error

    def act(seconds: float | None) -> str:
        acted.append(len(beckoned))
        if len(beckoned) < 2:
            raise KeptOut
        return "done"

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        time.sleep(0.05 if seconds > 0.01 else 0)  # so that the thread has looked

    assert tries(clock, beckon=beckon, sleep=sleep).through(act) == "done"
    assert (beckoned, acted) == (["shop_item"] * 2, tried)


@contextmanager
def soon_free() -> Iterator[Any]:
    """See one session in the way, which is gone when it is asked whether the table could be had."""
    yield lambda sql: [] if "database =" in sql else [SEEN]


def test_a_session_is_looked_at_once_there_is_one() -> None:
    """A revision of Alembic's may take its time until it connects, and only then tells where to."""
    clock, acted, report, pids = Clock(), list[bool](), RecordingReporter(), [None, None, None, None]

    @contextmanager
    def opened() -> Iterator[Any]:
        assert not pids, "nobody knows yet where the session is"
        yield lambda _: [SEEN]

    def act(seconds: float | None) -> str:
        acted.append(True)
        if len(acted) < 6:
            raise KeptOut
        return "done"

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        time.sleep(0.01 if pids else 0.001)

    late = tries(
        clock, beside=opened, sleep=sleep, report=report, pid=lambda: pids.pop() if pids else 7
    ).through(act)

    assert late == "done"
    assert "pid 812" in report.of(StepWaited)[-1].words


def test_a_part_of_each_pause_is_spent_though_the_table_is_free() -> None:
    """Whoever comes again as soon as we stand there isn't kept waiting for all of the time."""
    clock, acted = Clock(), list[float]()

    def act(seconds: float | None) -> str:
        acted.append(clock.now)
        if len(acted) < 9:
            raise KeptOut
        return "done"

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        time.sleep(0.002)

    assert tries(clock, beside=soon_free, sleep=sleep).through(act) == "done"
    pauses = [then - now for now, then in pairwise(acted)]
    whole = [Patience.BACKOFF.pause(attempt, 0.5) for attempt in range(8)]
    assert all(pause >= full / 4 for pause, full in zip(pauses, whole, strict=True))
    assert pauses[-1] < whole[-1] * 0.5


@pytest.mark.parametrize("code", ["55P03", "40P01"])
def test_a_lock_and_a_deadlock_pass_and_nothing_else_does(code: str) -> None:
    """An error about the statement itself is raised as it is, at once."""
    clock, left = Clock(), [code, "", "42P01"]

    def act(seconds: float | None) -> str:
        if not (found := left.pop(0)):
            return "done"
        error = KeptOut()
        error.sqlstate = found
        raise error

    assert tries(clock).through(act) == "done"
    with pytest.raises(KeptOut):
        tries(clock).through(act)
    assert left == []


def test_of_work_that_goes_on_the_wait_alone_counts() -> None:
    """A backfill of an hour that meets a lock now and then is not given up for its own length."""
    clock, left = Clock(), [3600.0] * 6

    def act(seconds: float | None) -> str:
        clock.now += left.pop() + (seconds or 0) if left else 0.0
        if left:
            raise KeptOut
        return "done"

    assert tries(clock, patience=replace(QUICK, budget=30.0)).through(act, goes_on=True) == "done"
    left = [3600.0] * 6
    with pytest.raises(LockNotFree):
        tries(clock, patience=replace(QUICK, budget=30.0)).through(act)


def test_what_may_stand_in_part_is_not_done_again() -> None:
    """It gets all of its time at once, and the error says that it was tried once."""
    given: list[float | None] = []

    def act(seconds: float | None) -> None:
        given.append(seconds)
        raise KeptOut

    with pytest.raises(LockNotFree, match="1 try") as caught:
        tries(Clock(), patience=replace(QUICK, once=3.0)).once(act)

    assert given == [3.0]
    assert "one transaction" in caught.value.hint


def test_where_nobody_waits_behind_us_we_may_wait_for_ever() -> None:
    """`CREATE INDEX CONCURRENTLY` that gives up leaves an index that can't be used."""
    assert tries(Clock()).through(lambda seconds: seconds, behind=Behind.NOBODY) == 0.0
    assert tries(Clock()).once(lambda seconds: seconds, behind=Behind.NOBODY) == 0.0


def test_off_leaves_everything_to_the_servers_settings() -> None:
    """No limit is set, and nothing is repeated."""

    def act(seconds: float | None) -> None:
        assert seconds is None
        raise KeptOut

    for way in (tries(Clock(), patience=OFF).through, tries(Clock(), patience=OFF).once):
        with pytest.raises(KeptOut):
            way(act)


def test_a_lost_lease_and_a_wish_to_stop_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither is written under, nor waited through."""

    def lost() -> None:
        raise LeaseLost("gone")

    def act(seconds: float | None) -> None:
        raise KeptOut

    with pytest.raises(LeaseLost):
        tries(Clock(), lease=replace(make_lease(), guard=lost)).through(act)
    monkeypatch.setattr(stopping, "wished", lambda: True)
    clock = Clock()
    with pytest.raises(Interrupted, match="0002_stock"):
        tries(clock).through(act)
    assert clock.now == 0.0


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("SELECT  1", "SELECT ?"),
        ("SELECT *\nFROM t WHERE email = 'jane@example.com'", "SELECT * FROM t WHERE email = …"),
        ("SELECT $tag$jane$tag$", "SELECT …"),
        ("SELECT $1 FROM t", "SELECT $? FROM t"),
        ("/* jane */ SELECT", ""),
        ("UPDATE t SET a = 1 -- jane", "UPDATE t SET a = ? …"),
        ("", ""),
        ("ALTER TABLE t" + " ADD c int," * 20, "ALTER TABLE t" + " ADD c int," * 6 + " …"),
    ],
)
def test_of_a_statement_the_words_are_shown_and_no_value(query: str, shown: str) -> None:
    """A literal or a comment may hold anything, also one that the server cut in its middle."""
    assert skeleton(query) == shown


def test_sessions_that_cant_be_seen_are_named_all_the_same() -> None:
    """Another role's session shows its process alone; a prepared transaction not even that."""
    found = wait_of([("ShareLock", None, 5, None, None, None, None, "<insufficient privilege>", None),
                     ("ShareLock", None, 0, None, None, None, None, None, None)])  # fmt: skip

    assert found is not None
    assert found.what == "transactions that are open"
    assert found.who.startswith("pid 5 (")
    assert "pg_prepared_xacts" in found.who
    assert wait_of([]) is None
    assert str(Blocker(pid=3)) == "pid 3 (gone by now)"


def test_a_name_that_would_end_the_block_is_not_sent() -> None:
    """The server writes names as they are quoted, and anything may be one."""
    assert 'LOCK TABLE "a b" IN SHARE UPDATE' in beckoning('"a b"')
    assert beckoning('"a $beckon$; DROP TABLE b"') == "SELECT 1"


@pytest.mark.parametrize(
    "value", ["on", {"lock_timeout": 0}, {"lock_timeout": True}, {"budget": "5"}, {"bugdet": 5}, ["off"]]
)
def test_a_policy_that_cant_be_read_is_an_error(value: object) -> None:
    """A typing mistake never means the default."""
    with pytest.raises(ConfigurationError, match="HERE"):
        parse(value, "HERE")


def test_each_environment_has_its_own_patience() -> None:
    """One that names none has the usual one."""
    policy: Mapping[str, Any] = {"production": {"locks": {"budget": 900}}, "staging": {"locks": "off"}}

    def of(environment: str) -> Patience:
        return of_environment(conf.AccordSettings(environment=environment, policy=policy))

    assert of("production") == Patience(budget=900.0)
    assert of("staging").is_off
    assert of("development") == Patience()


def test_a_step_of_its_own_patience_says_why() -> None:
    """What it doesn't name is as the environment has it."""
    asked = parse_waiver({"budget": 900, "reason": "nightly reports"}, "HERE", QUICK)

    assert asked == Patience(lock_timeout=1.0, budget=900.0, reason="nightly reports")
    brief = parse_waiver({"lock_timeout": 0.5, "reason": "a till"}, "HERE", QUICK)
    assert (brief.lock_timeout, brief.once, brief.budget) == (0.5, 0.5, 5.0)
    for wrong in ({"budget": 900}, {"reason": " "}, "off", {"reason": "why", "timeout": 3}):
        with pytest.raises(InvalidRevision, match="HERE"):
            parse_waiver(wrong, "HERE", QUICK)
