"""While a project's tests run, its stores are test stores: made by the engine, never the real ones."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from pymongo import MongoClient

from tests.fix_tested import IsolatedProject

pytestmark = pytest.mark.acceptance


def names(tested: IsolatedProject, suffix: str = "") -> tuple[str, str, str]:
    """Give what the test stores of a worker are called."""
    end = f"_{suffix}" if suffix else ""
    database, real = (urlsplit(url).path[1:] for url in (tested.database_url, tested.mongodb_url))
    prefix = f"test_{tested.prefix}" + (f"{suffix}-" if suffix else "")
    return f"test_{database}{end}", f"test_{real}{end}", prefix


def seen_by(tested: IsolatedProject) -> set[tuple[str, str, str]]:
    """Give which stores tests saw."""
    return {(each["database"], each["documents"], each["prefix"]) for each in tested.seen}


def test_djangos_command_gives_tests_their_own_stores_with_every_revision(tested: IsolatedProject) -> None:
    """Cross dependencies either way, production's policy, a history of Alembic and a mirror included."""
    before = tested.state()

    done = tested.django()

    assert done.returncode == 0, done.stderr
    assert tested.state() == before
    assert tested.leftovers() == []
    assert {each["who"] for each in tested.seen} == {"one", "two", "plain"}
    assert seen_by(tested) == {names(tested)}
    assert tested.seen[0]["welcomes"] == 1
    assert {"notes", "accord_ledger"} <= set(tested.seen[0]["collections"])
    assert any("notes-0001" in name for name in tested.seen[0]["indexes"])


def test_each_parallel_worker_has_stores_of_its_own(tested: IsolatedProject) -> None:
    """As Django clones its databases."""
    before = tested.state()

    done = tested.django("--parallel", "2")

    assert done.returncode == 0, done.stderr
    assert tested.state() == before
    assert tested.leftovers() == []
    assert seen_by(tested) <= {names(tested, "1"), names(tested, "2")}


def test_kept_stores_are_used_again_and_go_with_the_next_run_that_keeps_none(tested: IsolatedProject) -> None:
    """`--keepdb`; what the first run wrote is there, and revisions don't run twice."""
    label = ("-k", "OneTest", "--keepdb")
    assert tested.django(*label).returncode == 0
    done = tested.django(*label)
    assert done.returncode == 0, done.stderr
    assert [each["welcomes"] for each in tested.seen] == [1, 1]
    assert len(tested.leftovers()) > 2

    assert tested.django("-k", "OneTest").returncode == 0
    assert tested.leftovers() == []


@pytest.mark.parametrize("flags", [(), ("-n", "2")], ids=["alone", "xdist"])
def test_pytest_gives_tests_their_own_stores(tested: IsolatedProject, flags: tuple[str, ...]) -> None:
    """Beside pytest-django's databases, and with xdist's suffix."""
    before = tested.state()

    done = tested.pytest(*flags)

    assert done.returncode == 0, done.stdout + done.stderr
    assert tested.state() == before
    assert tested.leftovers() == []
    allowed = {names(tested, "gw0"), names(tested, "gw1")} if flags else {names(tested)}
    assert seen_by(tested) <= allowed


@pytest.mark.by_turns(3)
def test_pytest_takes_stores_from_step_to_step(tested: IsolatedProject) -> None:
    """Back in one store and in several, rows of then, and the newest again; real stores stay as they are."""
    before = tested.state()
    done = tested.pytest(file="test_steps.py")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    assert "9 passed" in done.stdout
    assert tested.state() == before
    assert tested.leftovers() == []


@pytest.mark.parametrize(
    ("run", "database"), [("pytest", {}), ("django", {"TEST": {"MIGRATE": False}})], ids=["pytest", "django"]
)
def test_stores_stand_beside_tables_that_come_from_models(
    tested: IsolatedProject, run: str, database: dict[str, object]
) -> None:
    """Without a migration of Django's; revisions need them as ever, and a second run goes on where it was."""
    before = tested.state()
    act = tested.pytest if run == "pytest" else tested.django
    flags = ("--nomigrations", "--reuse-db") if run == "pytest" else ("-k", "OneTest", "--keepdb")

    first, second = (act(*flags, told={"default": database}) for _ in range(2))

    assert (first.returncode, second.returncode) == (0, 0), first.stdout + first.stderr + second.stderr
    assert tested.state() == before
    assert {each["welcomes"] for each in tested.seen} == {1}
    assert len(tested.leftovers()) > 2
    assert tested.django("-k", "OneTest").returncode == 0
    assert tested.leftovers() == []


def test_a_runner_that_knows_nothing_of_the_suite_never_meets_the_real_stores(
    tested: IsolatedProject,
) -> None:
    """Django's own runner makes no test stores, and what tests do then is done in their place."""
    before = tested.state()

    done = tested.django("-k", "PlainTest", TESTED_RUNNER="django.test.runner.DiscoverRunner")

    assert done.returncode == 0, done.stderr
    assert tested.state() == before
    assert seen_by(tested) == {(urlsplit(tested.database_url).path[1:], *names(tested)[1:])}


@pytest.mark.parametrize("runner", [IsolatedProject.django, IsolatedProject.pytest], ids=["django", "pytest"])
def test_a_server_that_is_away_stops_the_tests_and_nothing_real_is_written(
    tested: IsolatedProject, runner: object
) -> None:
    """The error says which store, and Django's test database is gone again."""
    before = tested.state()
    away = {"mongodb": {"TEST": {"URL": "mongodb://127.0.0.1:1/x?replicaSet=rs0"}}}

    done = runner(tested, told=away)  # type: ignore[operator]  # a method of IsolatedProject

    assert done.returncode != 0
    assert "“mongodb”" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert (tested.state(), tested.seen) == (before, [])
    assert tested.leftovers() == []


def test_a_test_store_that_would_be_the_real_one_is_refused(tested: IsolatedProject) -> None:
    """By its name, whatever its server is; the check says so before any test."""
    before = tested.state()
    real = urlsplit(tested.mongodb_url).path[1:]

    done = tested.django(told={"mongodb": {"TEST": {"NAME": real.upper()}}})
    prefix = tested.django(told={"search": {"TEST": {"PREFIX": tested.prefix[:4]}}})

    for each in (done, prefix):
        assert each.returncode != 0
        assert "accord.E006" in each.stderr or "would be the real store" in each.stderr
    assert tested.state() == before
    assert tested.seen == []


def test_a_test_database_that_holds_what_tests_did_not_make_is_left_alone(tested: IsolatedProject) -> None:
    """Somebody else's database may have that name."""
    with MongoClient[dict[str, object]](tested.mongodb_url) as client:
        other = client[names(tested)[1]]["precious"]
        other.insert_one({"_id": 1})

        done = tested.django()

        assert done.returncode != 0
        assert "no ledger" in done.stderr
        assert other.count_documents({}) == 1
