"""A store that is new, lost or restored is filled again by the command that the refusal names."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from pymongo import MongoClient

from tests.fix_project import Project

pytestmark = pytest.mark.acceptance


def refusal(project: Project) -> str:
    """Run `migrate_all`, which must be refused because the stores are of different times."""
    done = project.run("migrate_all", "--noinput")
    assert done.returncode == 6, done.stdout + done.stderr
    assert "ACC-303" in done.stderr
    return done.stderr


def command_of(text: str) -> list[str]:
    """Read the command that a message names, as a person would copy it."""
    found = re.search(r"migrate_all (--rebuild [\w:]+)", text)
    assert found, text
    return ["migrate_all", *found[1].split(), "--noinput"]


def assert_in_agreement(project: Project) -> None:
    assert project.run("migrate_all", "--check").returncode == 0


def test_new_search_engine_is_filled_by_the_command_of_the_message(migrated: Project) -> None:
    """The indexes are what they were under the old prefix; nothing of the other stores runs again."""
    empty = replace(migrated, prefix=f"new-{migrated.prefix}")
    try:
        command = command_of(refusal(empty))
        shown = empty.answer(*[one for one in command if one != "--noinput"], "--plan")
        done = empty.answer(*command)

        assert {step["store"] for step in shown["steps"]} == {"search"}
        assert len(done["done"]) == len(shown["steps"])
        assert_in_agreement(empty)
        renamed = {name.removeprefix("new-"): found["mappings"] for name, found in indexes(empty).items()}
        assert renamed == {name: found["mappings"] for name, found in indexes(migrated).items()}
    finally:
        for index in empty.ask("GET", f"/{empty.prefix}*?expand_wildcards=all&filter_path=*.aliases"):
            empty.ask("DELETE", f"/{index}")
        for found in empty.ask("GET", f"/_index_template/{empty.prefix}*").get("index_templates", []):
            empty.ask("DELETE", f"/_index_template/{found['name']}")


def indexes(project: Project) -> dict[str, dict[str, object]]:
    """Return the project's indexes without the ledger."""
    found = project.ask("GET", f"/{project.prefix}*?expand_wildcards=all")
    return {name: index for name, index in found.items() if "accord-ledger" not in name}


def test_indexes_that_are_gone_while_the_ledger_stands_are_made_again(migrated: Project) -> None:
    """Nothing is pending by the ledger; the store is asked, and what is recorded and gone is done again."""
    before = indexes(migrated)
    for name in before:
        migrated.ask("DELETE", f"/{name}")
    for found in migrated.ask("GET", f"/_index_template/{migrated.prefix}*").get("index_templates", []):
        migrated.ask("DELETE", f"/_index_template/{found['name']}")
    assert_in_agreement(migrated)

    migrated.answer("migrate_all", "--rebuild", "search", "--noinput")

    assert sorted(indexes(migrated)) == sorted(before)
    assert_in_agreement(migrated)
    again = migrated.run("migrate_all", "--rebuild", "search", "--noinput")
    assert again.returncode == 2
    assert "nothing to rebuild" in again.stderr


def test_lost_mongodb_is_rebuilt_once_a_person_agrees_that_its_documents_are_lost(migrated: Project) -> None:
    """Its steps make empty collections; whoever has a backup must not learn that afterwards."""
    with MongoClient[dict[str, object]](migrated.mongodb_url) as client:
        client.drop_database(client.get_default_database().name)
    command = command_of(refusal(migrated))

    refused = migrated.run(*command)
    done = migrated.run(*command, "--data-is-lost")

    assert refused.returncode == 2
    assert "ACC-404" in refused.stderr
    assert done.returncode == 0, done.stderr
    assert_in_agreement(migrated)
