"""The suite is taken out of every store: what it kept goes; what steps made, and the project's rows, stay."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from pymongo import MongoClient

from tests.chance import chance, moments
from tests.fix_postgres import execute, rows_of
from tests.fix_project import ROOT, Project, differences
from tests.fix_stranger import Visit

pytestmark = pytest.mark.acceptance

REMOVE = ("accord_uninstall", "--remove", "--noinput")
ALL = (*REMOVE, "--with-evidence")
LINES = 10_000
"""Fewer than the first one runs, from where it begins to take out."""
OURS = "(accord|migrator|gdpr)"
TABLES = f"""
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'S', 'i', 'v')
        AND relname ~ '^{OURS}_' ORDER BY 1"""
FUNCTIONS = (
    f"SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname ~ '^{OURS}_'"
)
OWN = f"SELECT app, name FROM django_migrations WHERE app !~ '^{OURS}$' ORDER BY 1, 2"
PERMISSIONS = f"""
    SELECT 1 FROM auth_permission JOIN django_content_type AS kind ON kind.id = content_type_id
    WHERE app_label ~ '^{OURS}$'"""


def kept(project: Project) -> list[str]:
    """Name all that the suite keeps in the stores, as their drivers alone see it."""
    found = [str(name) for query in (TABLES, FUNCTIONS) for (name,) in project.rows(query)]
    found += ["permission" for _ in project.rows(PERMISSIONS)]
    found += [
        f"row of {app}"
        for (app,) in project.rows(f"SELECT app FROM django_migrations WHERE app ~ '^{OURS}$'")
    ]
    found += [
        place for place in project.mongodb_content() if place.endswith((".accord_ledger", ".accord_fence"))
    ]
    found += [
        name for name in project.ask("GET", f"/{project.prefix}*?expand_wildcards=all") if "accord" in name
    ]
    return found


def data(project: Project) -> dict[str, Any]:
    """Read what steps made in MongoDB and search, and which migrations of the project's own are recorded."""
    mongodb = {name: one for name, one in project.mongodb_content().items() if ".accord_" not in name}
    indexes = project.ask("GET", f"/{project.prefix}*?flat_settings=true&expand_wildcards=all")
    return {
        "mongodb": {name: one for name, one in mongodb.items() if not name.endswith("django_migrations")},
        "search": {name: one for name, one in indexes.items() if "accord" not in name},
        "own": project.rows(OWN),
        "heads": project.rows("SELECT version_num FROM alembic_version"),
        "tables": project.rows("SELECT count(*) FROM streaming_track"),
    }


def test_nothing_goes_unless_it_is_said_and_evidence_goes_last(migrated: Project) -> None:
    """Shown with numbers; refused without a terminal; ledgers go, evidence stays whole; then it goes, too."""
    before, whole = data(migrated), kept(migrated)

    shown = migrated.answer("accord_uninstall")
    refused = migrated.run("accord_uninstall", "--remove")
    assert (refused.returncode, kept(migrated)) == (2, whole), refused.stderr
    assert "ACC-404" in refused.stderr
    events = next(one for one in shown["found"] if one["what"] == "table accord_auditevent")
    assert events["number"] > 0
    assert events["evidence"]
    assert {"default", "documents", "mongodb", "alembic", "search"} == {
        one["store"] for one in shown["found"]
    }

    first = migrated.manage(*REMOVE)
    assert "stays unless --with-evidence" in first
    left = kept(migrated)
    assert {"accord_auditevent", "accord_audit_refuse", "row of accord"} <= {*left}
    # The mark of the register of erasures is evidence that is always there, and keeps its app's tables.
    assert not {"accord_ledger", "accord_lease", "accord_fence", "migrator_run"} & {*left}

    migrated.manage(*ALL)
    assert kept(migrated) == []
    assert differences(data(migrated), before) == []
    assert "keeps nothing" in migrated.manage("accord_uninstall", "--plan")


WAITING = "SELECT 1 FROM pg_locks WHERE relation = 'auth_user'::regclass AND NOT granted"
HELD = 2.0


@pytest.mark.by_turns(3)
def test_who_reads_the_table_of_accounts_waits_for_nobody_who_leaves(migrated: Project) -> None:
    """A table that refers to it locks it as it goes; beside a report that stays for long, sign-ins go on."""
    waited: list[float] = []
    with closing(psycopg2.connect(migrated.database_url)) as report, ThreadPoolExecutor() as beside:
        report.cursor().execute("SELECT count(*) FROM auth_user")
        leaving = beside.submit(migrated.run, *ALL)
        until = time.monotonic() + 60
        while not migrated.rows(WAITING) and time.monotonic() < until and not leaving.done():
            time.sleep(0.01)
        end = time.monotonic() + HELD
        while time.monotonic() < end:
            began = time.monotonic()
            migrated.rows("SELECT count(*) FROM auth_user")
            waited.append(time.monotonic() - began)
        report.rollback()
        done = leaving.result()

    assert done.returncode == 0, done.stderr
    assert kept(migrated) == []
    assert max(waited) < HELD / 2


def test_refused_while_a_run_holds_the_lease_or_a_step_is_half_done(migrated: Project) -> None:
    """Nothing is changed then; what is in the way is named with its remedy."""
    whole = kept(migrated)
    url = migrated.database_url
    execute(url, "UPDATE accord_lease SET owner = 'host:elsewhere', expires_at = now() + interval '1 hour'")
    held = migrated.run(*ALL)
    execute(url, "UPDATE accord_lease SET expires_at = now()")
    with MongoClient[dict[str, Any]](migrated.mongodb_url) as client:
        ledger = client.get_default_database()["accord_ledger"]
        ledger.update_one({"_id": "mongodb:streaming.0005_recommendations"}, {"$set": {"state": "applying"}})
    begun = migrated.run(*ALL)

    assert (held.returncode, begun.returncode) == (7, 2), held.stderr + begun.stderr
    assert "ACC-501" in held.stderr
    assert "ACC-411" in begun.stderr
    assert kept(migrated) == whole


@pytest.mark.matrix
def test_killed_anywhere_and_started_again_it_goes_on(migrated: Project) -> None:
    """A kill leaves a part; the same command takes the rest, and nothing that steps made."""
    draw = chance("uninstall")
    before = data(migrated)
    ends = [
        migrated.run(
            str(draw.randrange(1, LINES)), *ALL, program=("-m", "tests.acceptance.mortal")
        ).returncode
        for _ in range(moments(12, sample=2))
    ]
    last = migrated.run(*ALL)

    assert (ends[0], last.returncode) == (-9, 0), last.stderr
    assert kept(migrated) == []
    assert differences(data(migrated), before) == []


# --- the page -----------------------------------------------------------------------------------------------

PAGE = (ROOT / "docs/howto/uninstall.md").read_text(encoding="utf-8")
SUITE = ["accord", "migrator", "gdpr", "mongo_migrations", "searchindex"]
MEMBERS = "tests.projects.stranger.members"
RECORDED = "SELECT app, name FROM django_migrations ORDER BY 1, 2"


def commands(text: str) -> list[str]:
    """Return the commands that a part of the page names, in its order."""
    return re.findall(r"^\$ python manage\.py (.+)$", text, re.MULTILINE)


def test_the_page_leads_out_and_django_goes_on(visit: Visit, new_database: Callable[[], str]) -> None:
    """Word by word, in a project that `startproject` made: all is gone, and `migrate` works as ever."""
    url = new_database()
    inside, _, outside = PAGE.partition("## Afterwards")
    words = commands(inside)
    assert len(words) == 4
    applied, *came = visit("migrate_all --noinput", *words, database_url=url, apps=[MEMBERS]).came
    own = [row for row in rows_of(url, RECORDED) if row[0] not in SUITE]
    after = visit(
        *commands(outside),
        *("migrate members zero", "migrate --noinput", "/"),
        database_url=url,
        apps=[MEMBERS],
        without=SUITE,
    ).came

    assert [each.code for each in (applied, *came)] == [0] * 5, [each.said for each in came]
    assert "Evidence" in came[1].said
    assert [each.code for each in after] == [0, 0, 0, 0, 0, 200], [each.said for each in after]
    assert rows_of(url, TABLES) == []
    assert ("members", "0001_initial") in own
    assert rows_of(url, RECORDED) == own


def test_what_stands_in_the_way_is_named_and_nothing_is_gone(
    visit: Visit, new_database: Callable[[], str]
) -> None:
    """A view on a table of the suite; an app of it that is not installed any more."""
    url = new_database()
    visit("migrate_all --noinput", database_url=url)
    tables = rows_of(url, TABLES)
    execute(url, "CREATE VIEW seen AS SELECT id FROM migrator_run")
    [viewed] = visit(" ".join(ALL), database_url=url).came
    execute(url, "DROP VIEW seen")
    [unknown] = visit(" ".join(ALL), database_url=url, without=["gdpr"]).came

    assert (viewed.code, unknown.code) == (1, 2), viewed.said + unknown.said
    assert "ACC-600" in viewed.said
    assert "depend" in viewed.said
    assert "Put “gdpr” back" in unknown.said
    assert rows_of(url, TABLES) == tables
