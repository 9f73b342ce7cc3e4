"""Every kind of store is asked before, refuses before, and is asked again what its steps promise."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fix_four_stores import STORES, FourStores

pytestmark = pytest.mark.acceptance

LOCKS = {
    "default": "ACCESS EXCLUSIVE",
    "alembic": "ACCESS EXCLUSIVE",
    "mongodb": "X on the collection",
    "search": "none",
}


def pending(project: FourStores) -> set[str]:
    return {step["key"] for step in project.answer("migrate_all", "--plan")["steps"]}


def test_what_would_fail_starts_in_no_store(four_stores: FourStores) -> None:
    """The dry run tells it of each, with rows and locks; a run of any stops before it sends a thing."""
    before = pending(four_stores)

    dry = four_stores.run("migrate_all", "--dry-run", "--format", "json")
    text = four_stores.run("migrate_all", "--dry-run")
    runs = {store: four_stores.run("migrate_all", "--store", store, "--noinput") for store in STORES}

    assert dry.stdout, dry.stderr
    found = {step["key"].partition(":")[0]: step["foretold"] for step in json.loads(dry.stdout)["steps"]}
    assert set(found) == set(STORES)
    for store in STORES:
        refused = [item for item in found[store] if item["outlook"] == "refused"]
        assert len(refused) == 1, found[store]
        assert refused[0]["hint"]
        assert runs[store].returncode == 1
        assert "ACC-405" in runs[store].stderr
        assert f"{store}:" in runs[store].stderr
    noted = {
        store: item for store in STORES for item in found[store] if item["outlook"] == "note" and item["lock"]
    }
    assert {store: item["lock"][: len(LOCKS[store])] for store, item in noted.items()} == {
        store: lock for store, lock in LOCKS.items() if store in noted
    }
    assert (dry.returncode, text.returncode) == (1, 1)
    assert text.stdout.count("WOULD FAIL") == len(STORES)
    assert "a@b.c" not in dry.stdout + text.stdout + "".join(run.stderr for run in runs.values())
    assert pending(four_stores) == before


def test_who_goes_on_all_the_same_meets_the_server(four_stores: FourStores) -> None:
    """Policy may only warn: then the run starts, and the server refuses each step itself."""
    policy = json.dumps({"development": {"foretelling": "warn"}})
    run = four_stores.run(
        "migrate_all", "--noinput", WORKSHOP_ENVIRONMENT="development", WORKSHOP_POLICY=policy
    )

    assert run.returncode == 1
    assert "ACC-405" not in run.stderr
    for store in STORES:
        assert f"Foretold to fail: {store}:" in run.stderr


def test_what_goes_is_told_once_with_its_number(four_stores: FourStores) -> None:
    """Rows and documents stand with the step that drops them; notes of the same tell lock and bytes."""
    dry = four_stores.run("migrate_all", "--revert", "--to", "zero", "--dry-run", "--format", "json")
    text = four_stores.run("migrate_all", "--revert", "--to", "zero", "--dry-run")

    document = json.loads(dry.stdout)
    lost = {
        loss["key"].partition(":")[0]: loss["number"]
        for loss in document["losses"]
        if "0001_first" in loss["key"]
    }
    dropped = [item for step in document["steps"] if "0001_first" in step["key"] for item in step["foretold"]]
    assert {store: lost[store] for store in STORES} == dict(zip(STORES, (2, 3, 4, 5), strict=True))
    assert {item["rows"] for item in dropped} == {None}
    assert all(item["bytes"] is not None for item in dropped)
    words = ("table workshop_person: 2 rows", "table member: 3 rows", "collection people: 4 documents",
             f"index {four_stores.prefix}people-0001: 5 documents")  # fmt: skip
    assert [text.stdout.count(f"drops what holds data: {one}") for one in words] == [1] * 4
    assert [text.stdout.count(one) for one in words] == [1] * 4


def test_promises_are_asked_again_in_every_store(four_stores: FourStores) -> None:
    """What held when the steps were applied is broken by what came since; each is named."""
    broken = four_stores.run("migrate_all", "--verify", "--format", "json")
    one = four_stores.run("migrate_all", "--verify", "--store", "alembic")

    document: dict[str, Any] = json.loads(broken.stdout)
    assert broken.returncode == 1
    assert {item["key"].partition(":")[0]: item["name"] for item in document["broken"]} == dict.fromkeys(
        STORES, "no two"
    )
    assert one.returncode == 1
    assert "no two" in one.stdout
    assert "mongodb" not in one.stdout
