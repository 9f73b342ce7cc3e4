"""Signed heads are evidence: bound to the database itself, missed when they are gone."""

from __future__ import annotations

import io
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings as settings_of_django
from django.core.management import call_command
from django.db import connections
from pytest_django.fixtures import Settings

from accord.audit import marks, signed_heads
from accord.audit.problems import ProblemKind
from accord.audit.verification import verify, verify_tail
from accord.errors import AuditError, ConfigurationError
from accord.health.runner import Level
from accord.health_checks import look_at_audit, look_at_heads
from accord.models import AuditEvent
from accord.secrets import signing
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration


@pytest.fixture(autouse=True)
def _production(trail: Trail, settings: Settings) -> None:
    """Where databases don't come and go."""
    change(settings, ENVIRONMENT="production")


def change(settings: Settings, **values: object) -> None:
    """Set keys of ACCORD."""
    settings.ACCORD = {**settings.ACCORD, **values}


def problems() -> set[ProblemKind]:
    """Give what both checks and the watch find; they agree."""
    found = {problem.kind for problem in verify().problems}
    assert {problem.kind for problem in verify_tail().problems} == found
    [watched] = look_at_audit()
    assert watched.level is (Level.CRITICAL if found else Level.OK)
    return found


def command(*arguments: str) -> dict[str, Any]:
    """Run audit_verify; give its document, with the exit code."""
    out, code = io.StringIO(), 0
    try:
        call_command("audit_verify", *arguments, "--format", "json", stdout=out)
    except SystemExit as exc:
        code = int(str(exc.code))
    return {**json.loads(out.getvalue()), "code": code}


def move(trail: Trail, **address: str) -> None:
    """Reach the same database by another address."""
    connections[trail.alias].settings_dict.update(address)
    connections[trail.alias].close()


def test_another_address_of_the_same_database_changes_nothing(trail: Trail) -> None:
    """A failover, a pooler or another name of the server: the heads still count, and still accuse."""
    trail.record(3)

    move(trail, HOST="localhost")
    assert (problems(), verify().anchored) == (set(), 3)
    trail.record(2)
    assert (problems(), verify().anchored) == (set(), 5)

    trail.attack("DELETE FROM accord_auditevent WHERE seq > 4")
    assert problems() == {ProblemKind.CUT_OFF}


def test_file_that_is_gone_is_missed(trail: Trail) -> None:
    """Whether anything else was done or not: that nobody can say is no good sign."""
    trail.record(3)
    trail.file.unlink()
    assert problems() == {ProblemKind.HEADS_MISSING}
    assert command()["code"] == 6

    trail.attack("DELETE FROM accord_auditevent WHERE seq > 2")
    assert problems() == {ProblemKind.HEADS_MISSING, ProblemKind.CUT_OFF}


@pytest.mark.parametrize(
    ("kept", "found"), [(0, ProblemKind.HEADS_MISSING), (2, ProblemKind.HEADS_SHORTENED)]
)
def test_file_that_was_cut_is_missed_with_and_without_the_trail(
    trail: Trail, kept: int, found: ProblemKind
) -> None:
    """The database remembers the newest head that was written outside."""
    trail.record(5)
    lines = trail.file.read_text().splitlines(keepends=True)
    trail.file.write_text("".join(lines[:kept]))
    assert problems() == {found}

    trail.attack("DELETE FROM accord_auditevent WHERE seq > 2")
    assert problems() == {found, ProblemKind.CUT_OFF}


def test_lines_without_our_signature_stand_for_none(trail: Trail) -> None:
    """Who cut the file can't fill it up again."""
    trail.record(5)
    lines = trail.file.read_text().splitlines()
    forged = {**json.loads(lines[4]), "signature": json.loads(lines[3])["signature"]}
    trail.file.write_text("\n".join([*lines[:4], json.dumps(forged)]) + "\n")

    assert problems() == {ProblemKind.HEADS_SHORTENED}


def test_file_of_another_database_is_foreign(trail: Trail) -> None:
    """One that was exchanged, and one that two databases write to, are told; none is passed over."""
    trail.record(2)
    [mark] = marks.all_of(trail.alias)
    own = trail.file.read_text()

    trail.file.write_text(own.replace(mark.mark, "f" * 32))
    assert problems() == {ProblemKind.HEADS_FOREIGN, ProblemKind.HEADS_MISSING}
    trail.file.write_text(own + own.replace(mark.mark, "f" * 32))
    assert problems() == {ProblemKind.HEADS_FOREIGN}


def test_restored_backup_is_found_and_begun_anew_on_record(trail: Trail) -> None:
    """The trail ends before the heads do; said to be meant, it is an event, and heads go on from there."""
    trail.record(5)
    trail.attack(
        "DELETE FROM accord_auditevent WHERE seq > 3",
        "DELETE FROM accord_auditseal WHERE last > 3",
        "UPDATE accord_trailmark SET reach = 3",
    )
    assert problems() == {ProblemKind.CUT_OFF}

    answer = command("--new-heads", "--reason", "restored the backup of Sunday")
    trail.record(2)

    assert (answer["code"], answer["renewed"], answer["anchored"]) == (0, 4, 4)
    assert (problems(), verify().anchored) == (set(), 6)
    event = AuditEvent.objects.using(trail.alias).get(seq=4)
    assert (event.event, event.object_kind, event.counters) == ("heads.renewed", "chain", {"events": 3})
    [_, renewed] = marks.all_of(trail.alias)
    assert (renewed.since, renewed.reason) == (4, "restored the backup of Sunday")


def test_heads_after_a_new_beginning_are_as_strict_as_before(trail: Trail) -> None:
    """It forgives what was; what comes after it is missed like anything."""
    trail.record(3)
    trail.file.unlink()
    command("--new-heads", "--reason", "the disk was lost")
    trail.record(2)

    lines = trail.file.read_text().splitlines(keepends=True)
    trail.file.write_text("".join(lines[:-1]))
    assert problems() == {ProblemKind.HEADS_SHORTENED}


@pytest.mark.parametrize(
    "arguments", [("--new-heads",), ("--reason", "why"), ("--new-heads", "--reason", " ")]
)
def test_new_beginning_takes_a_reason(trail: Trail, arguments: tuple[str, ...]) -> None:
    """Neither word does anything alone, and blanks are none."""
    trail.record()

    with pytest.raises(SystemExit, match="2"):
        call_command("audit_verify", *arguments, stdout=io.StringIO())

    assert len(marks.all_of(trail.alias)) == 1
    assert AuditEvent.objects.using(trail.alias).count() == 1


def test_hint_leads_out_where_it_may_have_been_a_person(trail: Trail) -> None:
    """Not for an event that was changed: no new beginning mends that."""
    trail.record(3)
    trail.file.unlink()
    assert "--new-heads" in command()["error"]["hint"]

    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 2")
    assert "--new-heads" not in command()["error"]["hint"]
    assert command("--new-heads", "--reason", "the disk was lost")["code"] == 6


# --- the mark ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accord_trailmark SET mark = repeat('a', 32)",
        "UPDATE accord_trailmark SET since = 9",
        "UPDATE accord_trailmark SET reach = 1",
        "DELETE FROM accord_trailmark",
        "TRUNCATE accord_trailmark",
        """INSERT INTO accord_trailmark
        SELECT 5, repeat('b', 32), 1, '', key_id, seal, 0, '', now() FROM accord_trailmark""",
    ],
)
def test_mark_stays(trail: Trail, statement: str) -> None:
    """Neither what it is nor how far heads were written goes back while the triggers stand."""
    trail.record(3)

    with pytest.raises(psycopg2.IntegrityError):
        trail.sql(statement)

    assert problems() == set()


@pytest.mark.parametrize(
    "attack",
    [
        "DELETE FROM accord_trailmark",
        "UPDATE accord_trailmark SET mark = repeat('a', 32)",
        "UPDATE accord_trailmark SET since = 9",
        """INSERT INTO accord_trailmark
        SELECT 2, repeat('b', 32), 9, '', key_id, seal, 0, '', now() FROM accord_trailmark""",
    ],
)
def test_mark_that_we_did_not_write_is_found(trail: Trail, attack: str) -> None:
    """Who rules the database can change it, and has no key to seal it with."""
    trail.record(3)

    trail.attack(attack)
    assert ProblemKind.MARK in problems()
    trail.record()
    assert ProblemKind.MARK in problems()


def test_mark_stays_good_after_the_secret_was_replaced(trail: Trail, settings: Settings) -> None:
    """With the old secret among the fallbacks; without it, that is said."""
    trail.record(2)
    old, settings.SECRET_KEY = settings.SECRET_KEY, "the next one"
    settings.SECRET_KEY_FALLBACKS = [old]
    assert problems() == set()

    settings.SECRET_KEY_FALLBACKS = []
    assert ProblemKind.MARK in problems()


def test_copy_is_another_database_where_copies_are_made_every_day(trail: Trail, settings: Settings) -> None:
    """Heads of the one it was copied from count neither for it nor against it."""
    change(settings, ENVIRONMENT="test")
    trail.record(3)
    trail.file.unlink()
    assert problems() == {ProblemKind.HEADS_MISSING}

    trail.attack("UPDATE accord_trailmark SET reach_of = repeat('c', 32)")
    assert problems() == set()
    change(settings, ENVIRONMENT="production")
    assert problems() == {ProblemKind.HEADS_MISSING}


def test_database_that_was_emptied_by_tests_gets_a_mark_again(trail: Trail, settings: Settings) -> None:
    """Django's test runner empties every table between tests."""
    change(settings, ENVIRONMENT="test")
    trail.record(3)
    trail.attack(*(f"DELETE FROM accord_{table}" for table in ("trailmark", "auditseal", "auditevent")))

    trail.record(2)

    assert (problems(), verify().anchored) == (set(), 2)


# --- heads of earlier versions --------------------------------------------------------------------------


def as_before(trail: Trail, address: str) -> None:
    """Put heads bound to an address in the place of those in the file, and forget that any was written."""
    lines = []
    for seq, digest in AuditEvent.objects.using(trail.alias).order_by("seq").values_list("seq", "hash"):
        signature = signing.sign(f"{address}:{seq}:{digest}".encode(), purpose=signed_heads.PURPOSE)
        lines.append(json.dumps({"database": address, "size": seq, "hash": digest, "signature": signature}))
    trail.file.write_text("\n".join(lines) + "\n")
    trail.attack("UPDATE accord_trailmark SET reach = 0, reach_of = ''")


@pytest.mark.parametrize("moved", [False, True])
def test_heads_of_an_earlier_version_still_count(trail: Trail, moved: bool) -> None:
    """By the address, or by agreeing with the trail wherever it is now."""
    trail.record(3)
    as_before(trail, "a" * 16 if moved else signed_heads.address_id(trail.alias))
    assert (problems(), verify().anchored) == (set(), 3)

    trail.record()
    assert (problems(), verify().anchored) == (set(), 4)
    trail.attack("DELETE FROM accord_auditevent WHERE seq > 2")
    assert problems() == {ProblemKind.CUT_OFF}


def test_heads_of_an_earlier_version_that_contradict_are_told_until_begun_anew(trail: Trail) -> None:
    """Another database's, or ours rewritten at another address: nobody but a person can tell."""
    trail.record(3)
    as_before(trail, "a" * 16)
    trail.attack("UPDATE accord_auditevent SET hash = repeat('0', 64) WHERE seq = 3")
    assert ProblemKind.HEADS_FOREIGN in problems()

    answer = command("--new-heads", "--reason", "another address")
    assert {problem["kind"] for problem in answer["problems"]} == {ProblemKind.EDITED}


# --- further places --------------------------------------------------------------------------------------

KEEPER = """
import sys
from pathlib import Path

kept = Path(sys.argv[1])
if sys.argv[2] == "append":
    with kept.open("a") as file:
        file.write(sys.stdin.read())
elif kept.exists():
    sys.stdout.write(kept.read_text())
"""


@pytest.fixture
def kept(trail: Trail, settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Give a second place: a file, or what a program keeps."""
    second = tmp_path / "elsewhere.jsonl"
    program = {"COMMAND": [sys.executable, "-c", KEEPER, str(second)]}
    change(settings, AUDIT_HEADS=[str(second) if request.param == "file" else program])
    return second


@pytest.mark.parametrize("kept", ["file", "program"], indirect=True)
def test_second_place_is_written_and_missed_like_the_first(trail: Trail, kept: Path) -> None:
    """Either alone shows what is gone; the other vouches on."""
    trail.record(3)
    assert (problems(), verify().anchored) == (set(), 3)

    kept.write_text("".join(kept.read_text().splitlines(keepends=True)[:1]))
    assert (problems(), verify().anchored) == ({ProblemKind.HEADS_SHORTENED}, 3)
    kept.unlink()
    assert problems() == {ProblemKind.HEADS_MISSING}


@pytest.mark.parametrize("kept", ["file", "program"], indirect=True)
def test_first_place_and_trail_cut_together_are_found_by_the_second(trail: Trail, kept: Path) -> None:
    """Who rules the database and its machine hasn't the other place."""
    trail.record(5)

    lines = trail.file.read_text().splitlines(keepends=True)
    trail.file.write_text("".join(lines[:2]))
    trail.attack("DELETE FROM accord_auditevent WHERE seq > 2", "UPDATE accord_trailmark SET reach = 2")

    assert problems() == {ProblemKind.CUT_OFF}


def test_place_that_is_new_holds_nothing_until_heads_begin_anew(
    trail: Trail, settings: Settings, tmp_path: Path
) -> None:
    """It can't be told from one that was emptied."""
    trail.record(3)
    change(settings, AUDIT_HEADS=[str(tmp_path / "second.jsonl")])
    assert problems() == {ProblemKind.HEADS_MISSING}

    assert command("--new-heads", "--reason", "a second place")["code"] == 0


def test_place_that_cannot_be_written_is_warned_about_and_catches_up(
    trail: Trail, settings: Settings, tmp_path: Path
) -> None:
    """The act stands; nobody is accused of what was never written."""
    broken = tmp_path / "keeper"
    change(settings, AUDIT_HEADS=[{"COMMAND": [str(broken)]}])
    trail.record(2)
    [warned] = look_at_heads()
    assert warned.level is Level.WARN
    assert "keeper" in warned.message

    where = f"sys.argv.insert(1, {str(tmp_path / 'kept')!r})"
    broken.write_text(f"#!{sys.executable}\nimport sys\n{where}\n{KEEPER}")
    broken.chmod(0o700)
    assert (problems(), [one.level for one in look_at_heads()]) == (set(), [Level.OK])
    trail.record()
    assert (problems(), verify().anchored) == (set(), 3)
    broken.write_text(f"#!{sys.executable}\nraise SystemExit(3)\n")
    with pytest.raises(AuditError, match="exit code 3"):
        verify()


@pytest.mark.parametrize("entry", [7, "", {"COMMAND": "keep"}, {"COMMAND": []}, {"PROGRAM": ["keep"]}])
def test_place_that_is_none_is_refused(trail: Trail, settings: Settings, entry: object) -> None:
    """By the system check, and by whoever asks for it."""
    change(settings, AUDIT_HEADS=[entry])

    with pytest.raises(ConfigurationError, match="AUDIT_HEADS"):
        verify()


DYING = """
import json, os, signal, sys
import django, environ
from django.conf import settings
from django.db import transaction
options = json.loads(sys.argv[1])
settings.configure(
    INSTALLED_APPS=["accord"], DATABASES={"default": environ.Env.db_url_config(options["url"])},
    SECRET_KEY=options["secret"], USE_TZ=True,
    ACCORD={"AUDIT_CHECKPOINTS": options["file"], "ENVIRONMENT": "production"},
)
django.setup()
from accord.audit import signed_heads, trail
from accord.audit.events import EventKind, ObjectKind
def die(*unused, **unknown): os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[2] == "before the line":
    signed_heads._signed = die
else:
    signed_heads.marks.remember = die
with transaction.atomic():
    trail.record(EventKind.RUN_STARTED, actor=trail.SYSTEM, object_kind=ObjectKind.RUN, counters={"steps": 2})
"""


@pytest.mark.parametrize(
    ("moment", "lines", "reach"), [("before the line", 3, 3), ("before the database is told", 4, 3)]
)
def test_kill_between_event_head_and_memory_accuses_nobody(
    trail: Trail, moment: str, lines: int, reach: int
) -> None:
    """The file may be behind the trail, and the database behind the file; the next event catches up."""
    trail.record(3)
    options = {"url": trail.url, "secret": settings_of_django.SECRET_KEY, "file": str(trail.file)}
    killed = subprocess.run(
        [sys.executable, "-c", DYING, json.dumps(options), moment], capture_output=True, check=False
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert trail.rows("SELECT count(*) FROM accord_auditevent") == [(4,)]
    assert len(trail.file.read_text().splitlines()) == lines
    assert trail.rows("SELECT reach FROM accord_trailmark") == [(reach,)]
    assert problems() == set()

    trail.record(1)
    assert trail.rows("SELECT reach FROM accord_trailmark") == [(5,)]
    assert (problems(), verify().anchored) == (set(), 5)
    kept = trail.file.read_text().splitlines(keepends=True)[:-1]
    trail.file.write_text("".join(kept))
    assert problems() == {ProblemKind.HEADS_SHORTENED}
