"""The command `partition` on the sample project: divided, looked at, kept up, put back, and ended."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fix_postgres import execute
from tests.fix_project import Project

pytestmark = pytest.mark.acceptance
MODEL, TABLE = "streaming.LabelPayment", "streaming_labelpayment"
FILL = """
INSERT INTO streaming_artist (name, country) VALUES ('The Rocks', 'FR');
INSERT INTO streaming_labelpayment (label, artist_id, amount, currency, month)
SELECT 'l' || n, (SELECT min(id) FROM streaming_artist), n, 'EUR',
       date '2024-01-01' + n % 24 * interval '1 month' FROM generate_series(1, 500) n
"""
ACTS = """
SELECT event FROM accord_auditevent WHERE object_kind = 'table' ORDER BY seq
"""
ORM = """
from datetime import date
from examples.streaming.models import Artist, LabelPayment
paid = LabelPayment.objects.create(label="new", artist=Artist.objects.first(), amount=1, currency="EUR",
                                   month=date(2025, 3, 1))
paid.month = date(2024, 3, 1)
paid.save()
print(LabelPayment.objects.get(pk=paid.pk).month, LabelPayment.objects.count())
"""


def partition(project: Project, *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run the command, and read its answer."""
    done = project.run("partition", *arguments, "--format", "json")
    assert done.returncode == code, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_table_of_the_sample_is_divided_and_put_back(migrated: Project) -> None:
    """Each act is in the trail, Django goes on, and no look at the live store calls it drift."""
    execute(migrated.database_url, FILL)
    [plan] = partition(migrated, "plan", MODEL)["tables"]
    assert (plan["state"], plan["reasons"]) == ("plain", [])
    assert any("The primary key becomes (id, month)" in loss for loss in plan["losses"])

    assert partition(migrated, "convert", MODEL)["state"] == "converted"

    assert migrated.manage("shell", "-v", "0", "-c", ORM).split()[-2:] == ["2024-03-01", "501"]
    live = migrated.run("migrate_all", "--check-live", "--store", "default", "--format", "json")
    assert json.loads(live.stdout)["differences"] == []
    assert migrated.run("migrate_all", "--check").returncode == 0
    assert migrated.run("gdpr_datamap", "check").returncode == 0
    health = migrated.run("health_check", "--format", "json", "--only", "partitions")
    [finding] = json.loads(health.stdout)["findings"]
    assert (finding["level"], finding["name"]) == ("ok", f"partitions.{MODEL.lower()}")
    assert "as the way back" in finding["message"]
    execute(migrated.database_url, f"UPDATE {TABLE} SET month = '2099-01-01' WHERE label = 'new'")
    assert migrated.run("health_check", "--only", "partitions").returncode == 1
    assert partition(migrated, "revert", MODEL)["state"] == "plain"
    assert migrated.rows(f"SELECT count(*), max(month)::text FROM {TABLE}") == [(501, "2099-01-01")]
    assert migrated.rows(ACTS) == [("table.converted",), ("table.reverted",)]


def test_what_would_be_dropped_asks_for_a_word(migrated: Project) -> None:
    """Without, nothing goes; with, the old table does, and then what was detached."""
    execute(migrated.database_url, FILL.replace("2024-01-01", "2010-01-01"))
    assert partition(migrated, "maintain", code=3)["kept"][MODEL]["left"] == ["It is not divided yet."]
    partition(migrated, "convert", MODEL.lower())
    assert migrated.run("partition", "finish", MODEL).returncode == 2
    left = partition(migrated, "maintain", code=3)["kept"][MODEL]
    assert left["detached"] == []

    assert partition(migrated, "finish", MODEL, "--yes-drop")["state"] == "finished"
    kept = partition(migrated, "maintain")["kept"][MODEL]
    assert (
        kept["detached"] == kept["waiting"] == [f"streaming_labelpayment_p20{year}" for year in range(10, 16)]
    )
    dropped = partition(migrated, "maintain", MODEL, "--yes-drop")["kept"][MODEL]
    assert dropped["dropped"] == kept["detached"]

    assert migrated.rows(f"SELECT count(*) FROM {TABLE}") == [(0,)]
    acts = [act for (act,) in migrated.rows(ACTS)]
    assert acts[:2] == ["table.converted", "table.finished"]
    assert acts[2:] == ["partition.detached"] * 6 + ["partition.dropped"] * 6
    assert "ACC-107" in migrated.run("partition", "revert", MODEL).stderr


def test_what_nobody_declares_is_told(migrated: Project) -> None:
    """With what is declared, and where to write it."""
    refused = migrated.run("partition", "convert", "streaming.Track")

    assert refused.returncode == 2
    assert f"Declared: {MODEL}" in refused.stderr
