"""SIGKILL before any statement, then a rerun: the end is that of a run that was not killed."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from pytest_django.plugin import DjangoDbBlocker

from tests.chance import chance, moments
from tests.conformance.harness_relational import HARNESSES, RelationalHarness
from tests.forks import run_python

pytestmark = [
    pytest.mark.matrix,
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.by_turns(3),
]

MOMENTS = moments(16)
ROOT = Path(__file__).parents[3]


def arguments(harness: RelationalHarness, action: str, kill_at: int, *steps: str) -> list[str]:
    """Say to Python what to do."""
    namespace = json.dumps(harness.to_json())
    module = "tests.integration.postgres.doomed"
    return ["-m", module, harness.name, namespace, action, str(kill_at), *steps]


def run(harness: RelationalHarness, action: str, kill_at: int, *steps: str) -> dict[str, Any] | None:
    """Run a process; None when it was killed."""
    done = run_python(arguments(harness, action, kill_at, *steps), env=os.environ, cwd=ROOT)
    if done.returncode == -9:
        return None
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture
def new_harness(
    request: pytest.FixtureRequest, tmp_path: Path, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[[str], RelationalHarness]]:
    """Give a maker of namespaces, all with the same app so that what they hold can be compared."""
    made: list[RelationalHarness] = []

    def make(name: str) -> RelationalHarness:
        if name == "documents":
            url = request.getfixturevalue("new_documents")()
        else:
            url = request.getfixturevalue("new_database")()
        if made:
            made[-1].close()
        made.append(HARNESSES[name](tmp_path, url, "music_kill"))
        return made[-1]

    with django_db_blocker.unblock():
        yield make
        if made:
            made[-1].close()


def assert_same_end(
    make: Callable[[str], RelationalHarness],
    name: str,
    action: str,
    moments: Sequence[int],
    steps: Sequence[str],
) -> None:
    """Kill at each of the moments, run again, and compare with the run that lives."""
    intact = make(name)
    prepare(intact, action)
    run(intact, action, -1, *steps)
    wanted, recorded = intact.observe(), intact.recorded()
    for moment in moments:
        harness = make(name)
        prepare(harness, action)
        killed = run(harness, action, moment, *steps)
        assert killed is None, f"moment {moment} was never reached"
        run(harness, action, -1, *steps)
        assert harness.observe() == wanted, f"killed before statement {moment}"
        assert harness.recorded() == recorded


def prepare(harness: RelationalHarness, action: str) -> None:
    if action == "revert":
        run(harness, "apply", -1, *harness.step_names[:2])


@pytest.mark.parametrize("name", list(HARNESSES))
def test_killed_apply_ends_as_if_it_had_lived(
    new_harness: Callable[[str], RelationalHarness], name: str
) -> None:
    """Tables, indexes, rows and both ledgers are the same, wherever the process died."""
    counted = run(new_harness(name), "apply", -1, *HARNESSES[name].step_names)
    assert counted is not None
    killed_before = sorted(chance("statements").sample(range(counted["sent"]), MOMENTS))

    assert_same_end(new_harness, name, "apply", killed_before, HARNESSES[name].step_names)


@pytest.mark.parametrize("name", list(HARNESSES))
def test_killed_revert_ends_as_if_it_had_lived(
    new_harness: Callable[[str], RelationalHarness], name: str
) -> None:
    """The same holds on the way back."""
    harness = new_harness(name)
    steps = tuple(reversed(harness.step_names[:2]))
    prepare(harness, "revert")
    counted = run(harness, "revert", -1, *steps)
    assert counted is not None
    killed_before = sorted(chance("statements").sample(range(counted["sent"]), MOMENTS // 2))

    assert_same_end(new_harness, name, "revert", killed_before, steps)


def test_kill_never_leaves_tables_that_no_ledger_knows(
    new_harness: Callable[[str], RelationalHarness],
) -> None:
    """Foreign keys are sent last by Django; tables, keys and both ledgers' rows are one transaction here."""
    first = RelationalHarness.step_names[0]
    counted = run(new_harness("relational"), "apply", -1, first)
    assert counted is not None

    for moment in range(counted["sent"] - 8, counted["sent"]):
        harness = new_harness("relational")
        assert run(harness, "apply", moment, first) is None
        ours = {table for table in harness.tables() if table.startswith("music_kill")}
        assert bool(ours) == bool(harness.recorded()), f"killed before statement {moment}"
        run(harness, "apply", -1, first)
        assert harness.recorded() == {first}
