"""The main job, started as a person would, on the real servers."""

from __future__ import annotations

import json
import random
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chance import chance, moments, seed
from tests.fix_project import Project, differences

pytestmark = pytest.mark.acceptance
MORTAL = ("-m", "tests.acceptance.mortal")
KILLS = moments(30, 2)


def test_second_run_says_there_is_nothing_to_do(project: Project) -> None:
    """The first run applies every step of every store, the second none, and both exit 0."""
    first = project.answer("migrate_all")
    second = project.answer("migrate_all")
    talk = project.run("migrate_all")

    assert len(first["done"]) > 25
    assert {step["key"].partition(":")[0] for step in first["done"]} == {
        "default",
        "documents",
        "mongodb",
        "search",
        "alembic",
    }
    assert second["done"] == []
    assert talk.returncode == 0
    assert "Nothing to do" in talk.stdout


LOADED = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "migrate_all", "--verbosity", "0", *sys.argv[1:]])
print(*sorted(sys.modules), sep="\\n")
"""
UNUSED = {
    "migrator.cli.showing",
    "migrator.engine.gate",
    "migrator.lint",
    "migrator.relational.runner",
    "migrator.relational.safety.rewriter",
    "migrator.relational.statements",
}


def test_a_run_with_nothing_to_do_loads_nothing_that_it_does_not_use(migrated: Project) -> None:
    """Every deployment pays for the start; what shows plans and takes steps comes when it is used."""
    idle = migrated.run(program=("-c", LOADED)).stdout.split()
    shown = migrated.run("--plan", program=("-c", LOADED)).stdout.split()

    assert "migrator.relational.store" in idle
    assert not UNUSED.intersection(idle)
    assert "migrator.cli.showing" in shown


@pytest.mark.by_turns(3)
def test_ten_first_starts_at_once_do_the_work_once(project: Project) -> None:
    """On empty stores exactly one of ten rivals works, and all ten exit 0."""
    rivals = [project.start("migrate_all", "--format", "json") for _ in range(10)]
    answers = [rival.communicate(timeout=240) for rival in rivals]

    assert [rival.returncode for rival in rivals] == [0] * 10, [err for _, err in answers]
    worked = [bool(json.loads(out)["done"]) for out, _ in answers]
    assert sum(worked) == 1
    assert project.answer("migrate_all", "--plan")["steps"] == []


@pytest.mark.by_turns(3)
def test_revert_to_zero_and_forward_again_is_clean(project: Project) -> None:
    """Back to nothing and forward again ends where the first start ended."""
    project.manage("migrate_all")
    before = project.everything()

    project.manage("migrate_all", "--revert", "--to", "zero", "--noinput", "--even-with-data")
    empty = project.answer("showmigrations_all")
    leftover = project.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    project.manage("migrate_all")

    assert not any(step["applied"] for step in empty["steps"])
    assert {name for (name,) in leftover} <= {
        "accord_fence",
        "accord_lease",
        "accord_ledger",
        "accord_mark",
        "accord_ledger_alembic",
        "accord_fence_alembic",
        "accord_mark_alembic",
        "alembic_version",
        "django_migrations",
    }
    assert "\n".join(differences(project.everything(), before)) == ""


@pytest.mark.matrix
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_killed_at_any_line_a_rerun_ends_like_a_calm_run(
    new_project: Callable[..., Project], tmp_path: Path
) -> None:
    """SIGKILL at seeded lines of runs, then reruns: the stores of a run that was never killed."""
    dice = chance("runs")
    count = tmp_path / "lines"
    calm = new_project(ACCORD_COUNT_LINES=str(count))
    assert calm.run("0", "migrate_all", program=MORTAL).returncode == 0
    expected, lines = calm.everything(), int(count.read_text())

    kills = 0
    while kills < KILLS:
        victim = new_project()
        kills += kill_until_done(victim, dice, lines)
        assert "\n".join(differences(victim.everything(), expected)) == "", f"seed {seed()}"


def kill_until_done(victim: Project, dice: random.Random, lines: int) -> int:
    """
    Start again and again until nothing is left, the first run killed within a quarter of a calm one.

    Each rerun may live a little longer: what it looks at before its first step grows with what stands.
    """
    kills = 0
    while True:
        line = dice.randrange(1, lines * (kills + 2) // 8)
        # One in eight dies before the executor is reached: while it plans, or takes the lease.
        early = dice.random() < 1 / 8
        done = victim.run(str(-line if early else line), "migrate_all", program=MORTAL)
        if done.returncode == 0:
            return kills
        assert done.returncode == -signal.SIGKILL, done.stderr
        kills += 1


def test_failed_step_is_said_and_a_rerun_continues(project: Project, tmp_path: Path) -> None:
    """A step that can't be done stops what needs it; once the cause is gone, the rerun ends the job."""
    project.manage("migrate_all", "--to", "default:streaming.0004")
    blocker = "CREATE TABLE streaming_labelpayment (id integer)"
    execute(project, blocker)

    broken = project.run("migrate_all", "--format", "json")
    answer = json.loads(broken.stdout)
    execute(project, "DROP TABLE streaming_labelpayment")
    again = project.answer("migrate_all")

    assert broken.returncode == 1
    assert [step["key"] for step in answer["failed"]] == ["default:streaming.0005_label_payments"]
    assert answer["failed"][0]["hint"]
    assert "default:streaming.0006_consents" in answer["skipped"]
    assert any(step["key"].startswith("mongodb:") for step in answer["done"])
    assert again["done"][0]["key"] == "default:streaming.0005_label_payments"
    assert project.answer("migrate_all", "--plan")["steps"] == []


def test_asked_to_stop_it_stops_between_two_steps(project: Project) -> None:
    """SIGTERM ends a run after the step that goes on, with exit code 3; the rerun ends the job."""
    process = project.start("migrate_all")
    assert process.stderr is not None
    for line in process.stderr:
        if "applied in" in line:
            break
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)

    assert process.returncode == 3, err
    assert "ACC-403" in out + err
    assert project.answer("migrate_all")["done"]


def execute(project: Project, statement: str) -> None:
    import psycopg2

    connection = psycopg2.connect(project.database_url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_dry_run_shows_every_step_and_changes_nothing(project: Project) -> None:
    """SQL, Mongo commands and search requests are shown; Python that can't be shown says so."""
    before = project.everything()

    shown = project.answer("migrate_all", "--dry-run")
    text = project.manage("migrate_all", "--dry-run")

    languages = {item["language"] for step in shown["steps"] for item in step["statements"]}
    assert {"sql", "mongo", "http"} <= languages
    assert any(item["opaque"] for step in shown["steps"] for item in step["statements"])
    assert "CREATE TABLE" in text
    assert "db.createCollection" in text
    assert "PUT /" in text
    assert "\n".join(differences(project.everything(), before)) == ""


def test_check_tells_pending_steps_by_its_exit_code(project: Project) -> None:
    """As Django's `migrate --check`: 1 with something pending, 0 without."""
    assert project.run("migrate_all", "--check").returncode == 1
    project.manage("migrate_all")
    assert project.run("migrate_all", "--check").returncode == 0


@pytest.mark.by_turns(3)
def test_phases_run_apart(project: Project) -> None:
    """Expand before the deploy, then backfill, then contract; what stands behind another phase waits."""
    expand = project.answer("migrate_all", "--phase", "expand")
    backfill = project.answer("migrate_all", "--phase", "backfill")
    project.manage("migrate_all", "--phase", "contract")

    assert any("0012_fill_listener_language" in key for key in expand["waiting"])
    assert any("0012_fill_listener_language" in step["key"] for step in backfill["done"])
    rest = project.answer("migrate_all")["done"]
    assert not [step for step in rest if "listener_language" in step["key"]]


@pytest.mark.by_turns(3)
def test_baseline_adopts_what_stands(project: Project) -> None:
    """A system whose ledgers are lost is recorded after looking; nothing in it changes."""
    project.manage("migrate_all")
    before = project.everything()
    forget_ledgers(project)

    refused = project.run("migrate_all", "--baseline", "--noinput")
    planned = project.answer("migrate_all", "--baseline", "--plan")
    adopted = project.answer("migrate_all", "--baseline", "--noinput", "--trust-unproved")

    # Filled collections and tables can't be proved; a person has to vouch for them, and it stays on record.
    assert (refused.returncode, "ACC-309" in refused.stderr) == (6, True)
    assert "mongodb:streaming.0004_editorial_playlists" in refused.stderr
    proofs = {step["key"]: step["proof"] for step in planned["steps"]}
    assert set(proofs.values()) == {"proved", "unprovable"}
    listed = {step["key"]: step["origin"] for step in project.answer("showmigrations_all")["steps"]}
    words = {"proved": "adopted", "unprovable": "recorded"}
    assert {key: listed[key] for key in proofs} == {key: words[proof] for key, proof in proofs.items()}
    assert {item["key"]: item["origin"] for item in adopted["done"]} == {key: listed[key] for key in proofs}
    assert adopted["failed"] == []
    assert project.answer("migrate_all", "--plan")["steps"] == []
    assert project.everything()["postgres"] == before["postgres"]
    assert project.everything()["search"]["indexes"] == before["search"]["indexes"]

    # Undoing takes the lines out alone, in every store; nothing is lost, so nobody has to agree to it.
    way_back = project.answer("migrate_all", "--revert", "--to", "zero", "--plan")
    assert set(way_back["left"]) == {step["key"] for step in way_back["steps"]}
    stores = {key.partition(":")[0] for key in way_back["left"]}
    assert (way_back["losses"], {"default", "alembic", "mongodb", "search"} - stores) == ([], set())
    undone = project.answer("migrate_all", "--revert", "--to", "zero", "--noinput")
    assert {item["detail"][:8] for item in undone["done"]} == {"left, be"}
    assert project.everything()["postgres"] == before["postgres"]
    assert project.everything()["search"]["indexes"] == before["search"]["indexes"]


@pytest.mark.by_turns(3)
def test_what_is_recorded_already_is_verified(project: Project) -> None:
    """Rows of `migrate` alone, too: exit 0 while all stands, 6 with words once something was changed."""
    project.manage("migrate_all")
    execute(project, "DELETE FROM accord_ledger WHERE app = 'streaming'")
    whole = project.answer("migrate_all", "--baseline", "--verify")
    before = project.everything()
    execute(project, "ALTER TABLE streaming_listener ALTER display_name TYPE text")
    project.ask("DELETE", f"/{project.prefix}tracks")
    index = next(iter(project.ask("GET", f"/{project.prefix}tracks?filter_path=*.aliases")))
    project.ask("DELETE", f"/{index}")

    found = project.run("migrate_all", "--baseline", "--verify")
    changed = json.loads(project.run("migrate_all", "--baseline", "--verify", "--format", "json").stdout)

    assert (whole["exit_code"], {step["proof"] for step in whole["steps"]}) == (0, {"proved", "unprovable"})
    assert found.returncode == changed["exit_code"] == 6
    assert "The column streaming_listener.display_name is text, declared as" in found.stdout
    stores = {step["store"] for step in changed["steps"] if step["proof"] == "different"}
    assert stores == {"default", "search"}
    assert project.everything()["postgres rows"] == before["postgres rows"]


def test_baseline_refuses_what_does_not_match(project: Project) -> None:
    """What isn't there is not recorded, exit 6, and the ledgers stay empty."""
    refused = project.run("migrate_all", "--baseline", "--noinput")

    assert refused.returncode == 6, refused.stderr
    assert "ACC-304" in refused.stderr
    assert project.postgres_ledgers()["django_migrations"] == []


def forget_ledgers(project: Project) -> None:
    """Lose every ledger but keep the data, as when a system never used the suite."""
    for table in ("django_migrations", "accord_ledger", "accord_ledger_alembic", "accord_fence_alembic"):
        execute(project, f"DROP TABLE IF EXISTS {table}")
    execute(project, "DELETE FROM alembic_version")
    from pymongo import MongoClient

    with MongoClient[dict[str, object]](project.mongodb_url) as client:
        name = client.get_default_database().name
        for database in (name, f"{name}_documents"):
            client[database]["accord_ledger"].drop()
            client[database]["django_migrations"].drop()
    # It is an alias, and a server deletes indexes by their own names alone.
    for index in project.ask("GET", f"/{project.prefix}accord-ledger?filter_path=*.aliases"):
        project.ask("DELETE", f"/{index}")


@pytest.mark.by_turns(3)
def test_revert_of_a_run_undoes_what_it_did(project: Project) -> None:
    """`--revert --run ID` takes back the steps of one run."""
    project.manage("migrate_all", "--phase", "expand")
    before = project.postgres_ledgers()["django_migrations"]
    run = project.answer("migrate_all", "--phase", "backfill")["run"]

    undone = project.answer("migrate_all", "--revert", "--run", run, "--noinput")

    assert undone["done"]
    assert project.postgres_ledgers()["django_migrations"] == before


def test_revert_without_a_goal_is_refused(project: Project) -> None:
    """Nobody undoes everything by leaving a word out."""
    refused = project.run("migrate_all", "--revert")

    assert refused.returncode == 2
    assert "--to zero" in refused.stderr


def test_revert_asks_and_takes_no_answer_for_no(project: Project) -> None:
    """Without a terminal and without --noinput nothing is undone."""
    project.manage("migrate_all", "--to", "default:streaming.0001")
    before = project.everything()

    refused = project.run("migrate_all", "streaming", "zero", "--revert")

    assert refused.returncode == 2
    assert "ACC-404" in refused.stderr
    assert "\n".join(differences(project.everything(), before)) == ""


def test_narrowed_commands_take_what_they_need(project: Project) -> None:
    """`migrate_mongo` and `migrate_search` run their store and what it depends on."""
    mongo = project.answer("migrate_mongo", "--to", "mongodb:streaming.0003")
    search = project.answer("migrate_search", "--plan")

    assert [step["key"] for step in mongo["done"]][-1] == "mongodb:streaming.0003_plays"
    assert {step["store"] for step in search["steps"]} >= {"search"}
    assert len(search["steps"]) < len(project.answer("migrate_all", "--plan")["steps"])


def test_journal_holds_runs_and_steps(project: Project) -> None:
    """The first run on an empty database is in the journal with all its steps."""
    run = project.answer("migrate_all")

    rows = project.rows("SELECT id, outcome, planned FROM migrator_run")
    steps = project.rows("SELECT count(*) FROM migrator_steprun WHERE outcome = 'succeeded'")

    assert rows == [(run["run"], "succeeded", len(run["done"]))]
    assert steps == [(len(run["done"]),)]


def test_wrong_environment_is_refused(project: Project) -> None:
    """`--env production` on another environment's settings changes nothing."""
    refused = project.run("migrate_all", "--env", "production", "--noinput")

    assert refused.returncode == 2
    assert "ACC-105" in refused.stderr


def test_lease_of_another_machine_is_waited_for_and_then_respected(project: Project) -> None:
    """A lease that somebody holds ends the call with exit code 7 once --lock-wait is over."""
    project.manage("migrate_all", "--to", "default:streaming.0001")
    execute(
        project,
        "UPDATE accord_lease SET expires_at = now() + interval '1 hour', owner = '{\"host\": \"elsewhere\"}'",
    )

    refused = project.run("migrate_all", "--lock-wait", "1")

    assert refused.returncode == 7
    assert "elsewhere" in refused.stderr


def test_unreachable_store_is_said_and_nothing_is_changed(project: Project) -> None:
    """A search server that is away stops the call before the first step, with exit code 8."""
    broken = replace(project, search_url="http://127.0.0.1:9")

    refused = broken.run("migrate_all")

    assert refused.returncode == 8
    assert "ACC-601" in refused.stderr
    assert "127.0.0.1:9" in refused.stderr
    assert project.rows("SELECT * FROM django_migrations") == []
