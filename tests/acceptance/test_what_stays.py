"""What stays of an erased person in the servers' own files, before and after a scrub: what the page says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from pymongo import MongoClient

from tests.fix_canaries import Canaries, Place, in_stores, plant_person, traces
from tests.fix_postgres import execute, rows_of
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]


def postgres_files(erasing: Erasing) -> Iterator[Place]:
    """Give the files of the database and of the write-ahead log, with all that was in memory."""
    url = erasing.project.database_url
    name, server = urlsplit(url).path.strip("/"), urlunsplit(urlsplit(url)._replace(path="/postgres"))
    copy = f"{name}_copy"
    execute(server, f"CREATE DATABASE {copy} TEMPLATE {name} STRATEGY file_copy", f"DROP DATABASE {copy}")
    [(home, database)] = rows_of(
        url,
        "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()",
    )
    for kind, folder in (("tables", Path(home) / "base" / str(database)), ("wal", Path(home) / "pg_wal")):
        yield from ((kind, path.read_bytes()) for path in folder.iterdir() if path.is_file())


def mongodb_files(erasing: Erasing) -> Iterator[Place]:
    """Give the files of all collections, after a checkpoint, and those of the journal."""
    with MongoClient[dict[str, Any]](erasing.project.mongodb_url) as client:
        client.admin.command("fsync")
        home = Path(client.admin.command("getCmdLineOpts")["parsed"]["storage"]["dbPath"])
    for path in home.rglob("*"):
        if path.is_file():
            kind = "journal" if path.parent.name == "journal" else "collections"
            yield kind, path.read_bytes()


def search_files(erasing: Erasing) -> Iterator[Place]:
    """Give the files of the project's indexes, after a flush: segments, and the translog."""
    erasing.project.ask("POST", f"/{erasing.project.prefix}*/_flush?force=true")
    nodes = erasing.project.ask("GET", "/_nodes/settings")["nodes"]
    [home] = {Path(_first(node["settings"]["path"]["data"])) for node in nodes.values()}
    found = erasing.project.ask("GET", f"/{erasing.project.prefix}*/_settings?expand_wildcards=all")
    own = {index["settings"]["index"]["uuid"] for index in found.values()}
    for path in home.rglob("*"):
        if path.is_file() and own.intersection(path.parts):
            yield ("translog" if path.parent.name == "translog" else "segments"), path.read_bytes()


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)


def in_files(erasing: Erasing, canaries: Canaries) -> set[str]:
    """Return the kinds of files that hold something of a person; they are too large for every form of it."""
    words = [text.encode() for text in (canaries.word, str(canaries.mark), canaries.mark.hex)]
    readers = (postgres_files, mongodb_files, search_files)
    places = (place for reader in readers for place in reader(erasing))
    return {kind for kind, content in places if any(word in content for word in words)}


def test_files_hold_what_the_page_says_and_a_scrub_ends_what_it_says(erasing: Erasing) -> None:
    """After the erasure the stores give nothing out, and their files do; a scrub clears the tables."""
    canaries = Canaries()
    plant_person(erasing.project, canaries)
    reference = erasing.reference(f"approved({canaries.number})")
    early = erasing.erase("--request", reference, "--scrub", "--as", "filer")
    done = erasing.erase("--request", reference)
    assert done.returncode == 0, done.stdout + done.stderr

    given_out = traces(canaries, in_stores(erasing.project))
    before = in_files(erasing, canaries)
    scrubbed = erasing.erase("--request", reference, "--scrub", "--as", "filer", "--format", "json")
    after = in_files(erasing, canaries)

    assert (early.returncode, "ACC-822" in early.stderr) == (2, True)
    # A row that invoices refer to stays, without anything of the person but its number.
    assert {form for forms in given_out.values() for form in forms} <= {"number", "number, binary"}, given_out
    assert before >= {"tables", "wal", "collections", "segments"}
    assert scrubbed.returncode == 0, scrubbed.stdout + scrubbed.stderr
    acts = json.loads(scrubbed.stdout)["acts"]
    assert {act["act"] for act in acts} >= {"rewrite", "checkpoint", "compact", "merge", "flush"}
    # Logs, free blocks and segments are promised nothing about; see the page.
    assert "tables" not in after, after


@pytest.mark.by_turns(3)
def test_scrub_takes_no_lock_by_force_and_comes_with_the_second_look(erasing: Erasing) -> None:
    """A table that somebody reads is vacuumed instead; by policy cron scrubs before it closes."""
    told = erasing.call(
        f"DSN = {erasing.project.database_url!r}"
        """
import psycopg2
from django.conf import settings
from gdpr.erasure import scrubbing
from gdpr.stores.scrubs import Refusal
request = erasure.work(approved(5))
other = psycopg2.connect(DSN)
with other.cursor() as cursor: cursor.execute("SELECT 1 FROM streaming_listener")
acts = scrubbing.scrub_one(request, by=filer)["default"]
other.close()
[of_table] = [one for one in acts if one.target == "streaming_listener"]
ErasureRequest.objects.update(verify_again_at="2020-01-01T00:00:00Z")
settings.ACCORD = {**settings.ACCORD, "POLICY": {"erasure": {"scrub": 1}}}
done = processing.process_due()
again = scrubbing.scrub_one(ErasureRequest.objects.get(), by=filer)
say([of_table.act, of_table.refusal, sorted({one.act for one in acts if one is not of_table and one.target}),
     done.verified == [request.reference], done.unscrubbed,
     [one.refusal for each in again.values() for one in each if one.refusal is not Refusal.NONE]])
"""
    )

    act, refusal, others, closed, unscrubbed, refused = told
    assert (act, refusal, others) == ("vacuum", "", ["rewrite"])
    assert (closed, unscrubbed, refused) == (True, "", [])
    scrubs = erasing.rows(
        "SELECT count(*) FROM accord_auditevent WHERE event = 'erasure.step_done' AND counters ? 'skipped'"
    )
    assert scrubs == [(3,)]
