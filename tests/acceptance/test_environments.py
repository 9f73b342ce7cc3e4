"""A store knows its environment: runs and erasures of another one are refused, and a copy is renamed."""

from __future__ import annotations

import json
import re
import shlex
import signal
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from tests.acceptance.test_governance import (
    PASSWORD,
    approve,
    approved,
    assert_refused,
    collections,
    events,
    sql,
    under,
    with_people,
)
from tests.fix_requests import Erasing
from tests.fix_workshop import ROOT, Workshop
from tests.forks import run_python

pytestmark = pytest.mark.acceptance

CARRY_OUT = """
request = ErasureRequest.objects.get(reference="{reference}")
with opened_stores() as stores:
    saga.carry_out([request.pk], stores)
"""
PRODUCTION = {"WORKSHOP_ENVIRONMENT": "production", "ACCORD_PASSWORD": PASSWORD}
FREE = {"WORKSHOP_POLICY": json.dumps({"production": {"approval": False}})}
DEVELOPMENT = {"WORKSHOP_ENVIRONMENT": "development", **FREE}
DIES_AT_THE_SECOND_STORE = """
import os, signal
from mongo_migrations.store import MongoStore
MongoStore.write_mark = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *ARGUMENTS])
"""


@pytest.fixture
def production(workshop: Workshop) -> Workshop:
    """Give the small project as a production without approvals, after its first run."""
    workshop.mongo("0001_one", "one")
    made = under(workshop, **PRODUCTION, **FREE)
    done = made.run("migrate_all", "--noinput")
    assert done.returncode == 0, done.stderr
    return made


def shown(workshop: Workshop) -> dict[str, dict[str, Any]]:
    """Ask what each store says of itself; whatever the exit code."""
    done = workshop.run("accord_environment", "show", "--format", "json")
    assert done.returncode in (0, 5), done.stderr
    return {one["store"]: one for one in json.loads(done.stdout)["stores"]}


def states(workshop: Workshop) -> dict[str, str]:
    """Name how each store stands to the settings."""
    return {alias: one["state"] for alias, one in shown(workshop).items()}


def dying(workshop: Workshop, *arguments: str) -> int:
    """Run a command that is killed when it marks the second of the stores."""
    code = DIES_AT_THE_SECOND_STORE.replace("*ARGUMENTS", ", ".join(map(repr, arguments)))
    return run_python(("-c", code), env=workshop.environment, cwd=ROOT, timeout=120).returncode


def test_store_of_production_refuses_another_environment(production: Workshop) -> None:
    """Whatever a variable says: no verb that writes begins, and `--plan` and `--check` tell it."""
    production.mongo("0002_two", "two", needs="0001_one")
    stray = under(production, **DEVELOPMENT)
    before = shown(production)

    for verb in (
        (),
        ("--revert", "--to", "zero", "--even-with-data"),
        ("--baseline",),
        ("--fake",),
        ("--forget", "mongodb:workshop.0001_one", "--reason", "why"),
        ("--rebuild", "mongodb", "--data-is-lost"),
    ):
        done = stray.run("migrate_all", "--noinput", *verb)
        assert_refused(done, "ACC-935", 5, "belongs to “production”", "accord_environment change")
    assert_refused(stray.run("accord_uninstall", "--remove", "--noinput"), "ACC-935", 5)
    plan, check = stray.run("migrate_all", "--plan"), stray.run("migrate_all", "--check")
    document = json.loads(stray.run("migrate_all", "--plan", "--format", "json").stdout)
    assert (plan.returncode, check.returncode) == (0, 5)
    assert "The store “mongodb” belongs to “production”" in plan.stdout
    assert [one["store"] for one in document["foreign"]] == ["default", "mongodb"]
    assert collections(production) == {"one"}
    assert shown(production) == before

    assert production.run("migrate_all", "--check").returncode == 1
    assert production.run("migrate_all", "--noinput").returncode == 0
    assert collections(production) == {"one", "two"}
    assert shown(production) == before


def test_one_foreign_store_stops_the_run_and_its_sibling_stays(production: Workshop, mongo_url: str) -> None:
    """A URL of production among others is told by its alias; the other store isn't touched."""
    head, _, tail = mongo_url.partition("?")
    own = under(production, MONGODB_URL=f"{head}_own?{tail}", **DEVELOPMENT)
    database = production.variables["DATABASE_URL"]
    assert states(own) == {"default": "foreign", "mongodb": "unmarked"}

    refused = own.run("migrate_all", "--noinput")

    assert_refused(refused, "ACC-935", 5, "The store “default” belongs to “production”")
    assert database not in refused.stderr
    assert states(own) == {"default": "foreign", "mongodb": "unmarked"}


def test_killed_between_two_marks_a_rerun_completes(workshop: Workshop) -> None:
    """The first store is marked and keeps its id, the second is marked by the next run."""
    workshop.mongo("0001_one", "one")

    assert dying(workshop, "migrate_all", "--noinput") == -signal.SIGKILL
    first = shown(workshop)
    assert states(workshop) == {"default": "own", "mongodb": "unmarked"}
    assert collections(workshop) == set()

    assert workshop.run("migrate_all", "--noinput").returncode == 0
    assert states(workshop) == {"default": "own", "mongodb": "own"}
    second = shown(workshop)
    assert second["default"] == first["default"]
    assert second["default"]["id"] != second["mongodb"]["id"]


def test_mark_of_another_form_stops_and_is_not_written_over(production: Workshop) -> None:
    """What can't be understood is neither ours nor nobody's."""
    sql(production, 'UPDATE accord_mark SET value = \'{"environment": "production", "more": 1}\'')

    done = production.run("migrate_all", "--noinput")

    assert_refused(done, "ACC-936", 6, "“default”")
    [(kept,)] = sql(production, "SELECT value FROM accord_mark WHERE id = 'environment'")
    assert "more" in kept


def test_health_names_the_store(production: Workshop) -> None:
    """Critical and not ready where a store is another environment's; well where it is ours."""
    findings = {"migrations.default.environment": "ok", "migrations.mongodb.environment": "ok"}
    assert levels(production) == findings
    assert levels(under(production, **DEVELOPMENT)) == dict.fromkeys(findings, "critical")


def levels(workshop: Workshop) -> dict[str, str]:
    """Read what health says of the environments."""
    done = workshop.run("health_check", "--format", "json")
    found = json.loads(done.stdout)["findings"]
    return {one["name"]: one["level"] for one in found if one["name"].endswith(".environment")}


# --- changing it --------------------------------------------------------------------------------------


@pytest.fixture
def copied(workshop: Workshop) -> Workshop:
    """Give a production with approvals and two people, under the settings of a staging: a copy."""
    workshop.mongo("0001_one", "one")
    original = with_people(under(workshop, **PRODUCTION))
    approved(original)
    done = original.run("migrate_all", "--noinput")
    assert done.returncode == 0, done.stderr
    return replace(original, variables={**original.variables, "WORKSHOP_ENVIRONMENT": "staging"})


def change(workshop: Workshop, *more: str) -> Any:
    """Let the stores belong to where the settings are."""
    words = ("--reason", "copied from production", "--noinput", *more)
    return workshop.run("accord_environment", "change", *words)


def test_copy_of_production_is_renamed_with_a_second_persons_yes(copied: Workshop) -> None:
    """Because production asks for approvals; a run is refused before, runs after, and the trail has both."""
    before = shown(copied)
    copied.mongo("0002_two", "two", needs="0001_one")
    assert_refused(copied.run("migrate_all", "--noinput"), "ACC-935", 5)

    refused = change(copied)
    assert_refused(refused, "ACC-921", 5, "migration_approval request --kind environment --as USERNAME")
    asked = copied.answer(
        "migration_approval", "request", "--kind", "environment", "--as", "ada", "--reason", "a copy"
    )
    assert [one["change"] for one in asked["environments"]] == ["production>staging"] * 2
    assert_refused(change(copied), "ACC-921", 5, asked["reference"][:8])
    own = copied.run("migration_approval", "approve", asked["reference"], "--as", "ada", "--reason", "mine")
    assert_refused(own, "ACC-923", 4)
    assert shown(copied) == before
    yes = approve(copied, asked["reference"])
    assert yes.returncode == 0, yes.stderr
    assert "accord_environment change" in yes.stdout
    done = change(copied)

    assert done.returncode == 0, done.stderr
    after = shown(copied)
    assert {one["environment"] for one in after.values()} == {"staging"}
    assert {one["id"] for one in after.values()}.isdisjoint(one["id"] for one in before.values())
    assert events(copied, before["mongodb"]["id"]) == ["environment.changed"]
    told = ["approval.requested", "access.denied", "approval.granted", "approval.used"]
    assert events(copied, asked["reference"]) == told
    assert copied.answer("migration_approval", "show", asked["reference"])["state"] == "used"
    assert copied.run("migrate_all", "--noinput").returncode == 0
    assert collections(copied) == {"one", "two"}
    assert copied.run("audit_verify").returncode == 0
    # The yes was to these stores alone: whoever goes back needs another one.
    back = under(copied, WORKSHOP_ENVIRONMENT="production")
    assert_refused(back.run("migrate_all", "--noinput"), "ACC-935", 5)
    assert_refused(change(back), "ACC-921", 5)


PAGE = (ROOT / "docs/howto/copy-production.md").read_text(encoding="utf-8")


def test_the_page_renames_a_copy(copied: Workshop) -> None:
    """Its commands, in its order, as they stand there."""
    words = re.findall(r"^\$ python manage\.py (.+)$", PAGE, re.MULTILINE)
    assert [line.split()[0] for line in words] == [
        "accord_environment", "migration_approval", "migration_approval", "accord_environment", "migrate_all",
    ]  # fmt: skip
    said = ""
    for line, code in zip(words, (5, 0, 0, 0, 0), strict=True):
        done = copied.run(*shlex.split(line.replace("REFERENCE", said[8:16])))
        said = done.stdout
        assert done.returncode == code, (line, done.stdout, done.stderr)
    assert states(copied) == {"default": "own", "mongodb": "own"}


def test_change_that_was_killed_goes_on(production: Workshop) -> None:
    """One store is changed, the other not yet: runs stay refused, and a rerun says each once in the trail."""
    before = shown(production)
    stray = under(production, **DEVELOPMENT)
    words = ("accord_environment", "change", "--reason", "a copy", "--noinput")
    assert dying(stray, *words) == -signal.SIGKILL
    assert states(stray) == {"default": "own", "mongodb": "foreign"}
    half = shown(stray)["default"]
    assert_refused(stray.run("migrate_all", "--noinput"), "ACC-935", 5, "“mongodb”")

    assert change(stray).returncode == 0
    assert states(stray) == {"default": "own", "mongodb": "own"}
    assert shown(stray)["default"] == half
    for alias in before:
        assert events(stray, before[alias]["id"]) == ["environment.changed"]
    again = change(stray)
    assert (again.returncode, again.stdout.count("changed;")) == (0, 0)


def test_nobody_is_asked_twice_and_nothing_is_changed_unasked(production: Workshop) -> None:
    """Without a terminal a yes has to be said; where nothing is foreign there is nothing to say."""
    stray = under(production, **DEVELOPMENT)
    unsaid = stray.run("accord_environment", "change", "--reason", "a copy")
    assert_refused(unsaid, "ACC-404", 2)
    other = stray.run("accord_environment", "change", "--reason", "x", "--noinput", "--env", "staging")
    assert_refused(other, "ACC-105", 2)
    assert states(stray) == {"default": "foreign", "mongodb": "foreign"}

    assert change(stray, "--store", "mongodb").returncode == 0
    assert states(stray) == {"default": "foreign", "mongodb": "own"}


# --- erasures -----------------------------------------------------------------------------------------


def test_nobody_is_erased_from_a_store_of_another_environment(erasing: Erasing) -> None:
    """By neither command, through neither door; the neighbour's erasure in the same stores goes on."""
    planned = erasing.reference("planned(3)")
    person = "SELECT l::text FROM streaming_listener l WHERE id = 3"
    before = erasing.rows(person)
    assert_all_refused(
        erasing,
        ("gdpr_erase", "--request", planned, "--approve", "--as", "approver", "--reason", "seen"),
        ("gdpr_erase", "6", "--by", "id", "--as", "filer"),
    )
    assert erasing.command("gdpr_erase", "--request", planned, "--dry-run").returncode == 0

    yes = erasing.command(
        "gdpr_erase", "--request", planned, "--approve", "--as", "approver", "--reason", "seen", "--noinput"
    )
    assert yes.returncode == 0, yes.stderr
    assert_all_refused(erasing, ("gdpr_process",), ("gdpr_erase", "--request", planned))
    # Nor past the commands, where a store was away when all were asked: each is asked before its first batch.
    erasing.call(CARRY_OUT.format(reference=planned), ACCORD_ENV="development")
    assert ("ACC-935",) in erasing.rows("SELECT DISTINCT error_code FROM gdpr_erasurestep")
    assert erasing.rows(person) == before

    done = erasing.command("gdpr_erase", "--request", planned, "--resume", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert erasing.rows(person) != before
    assert erasing.state(planned).startswith("completed")


def assert_all_refused(erasing: Erasing, *commands: Sequence[str]) -> None:
    """Make sure that under other settings each of the commands is refused, and says why."""
    for words in commands:
        more = () if words[0] == "gdpr_process" else ("--noinput",)
        done = erasing.command(*words, *more, ACCORD_ENV="development")
        assert_refused(done, "ACC-935", 5, "belongs to “test”")
