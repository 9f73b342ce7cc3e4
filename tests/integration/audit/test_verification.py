"""Every attack on the audit trail shows, whoever made it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from accord.audit import head_places, marks, signed_heads
from accord.audit.chain import FIELDS, GENESIS, Link
from accord.audit.problems import ProblemKind
from accord.audit.verification import Report, verify, verify_tail
from accord.errors import AuditError, StoreError
from accord.health.runner import Level
from accord.health_checks import look_at_heads
from accord.models import AuditEvent
from tests.fix_trail import ROOT, Trail

pytestmark = pytest.mark.integration


def kinds(report: Report) -> set[tuple[ProblemKind, int]]:
    """Give what a report found, and where."""
    return {(problem.kind, problem.seq) for problem in report.problems}


def rewrite(trail: Trail, *, start: int = 1, **changes: str) -> None:
    """Change an event and compute every hash behind it anew, as one who knows the form would."""
    rows = AuditEvent.objects.using(trail.alias).filter(seq__gte=start).order_by("seq")
    before = AuditEvent.objects.using(trail.alias).filter(seq=start - 1).first()
    trail.attack(*_forged_rows(list(rows), before.hash if before else GENESIS, changes))


def _forged_rows(rows: list[AuditEvent], prev_hash: str, changes: dict[str, str]) -> Iterable[str]:
    for number, row in enumerate(rows):
        values: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
        values |= {"prev_hash": prev_hash, **(changes if number == 0 else {})}
        link = Link(**values)
        prev_hash = link.digest()
        yield (
            f"UPDATE accord_auditevent SET outcome = '{link.outcome}', prev_hash = '{link.prev_hash}', "
            f"hash = '{prev_hash}' WHERE seq = {link.seq}"
        )


def test_empty_trail_is_intact(trail: Trail) -> None:
    """Before the first event there is nothing to be wrong."""
    report = verify()

    assert report.intact
    assert (report.checked, report.last, report.anchored) == (0, 0, 0)
    assert verify_tail().intact


def test_written_trail_is_intact_and_vouched_for(trail: Trail) -> None:
    """What was recorded reads back, and the file of heads vouches for all of it."""
    trail.record(5)

    report = verify()

    assert report.intact
    assert (report.checked, report.first, report.last, report.anchored) == (5, 1, 5, 5)


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "event = 'run.started'",
        "outcome = 'failed'",
        "actor_kind = 'person'",
        "actor_ref = repeat('a', 32)",
        "object_kind = 'run'",
        "object_ref = repeat('a', 32)",
        "request_ref = repeat('a', 32)",
        "counters = '{\"found\": 9}'",
        "counters = '{\"total\": 2}'",
        "plan_digest = repeat('a', 64)",
    ],
)
def test_edited_event_is_found(trail: Trail, change: str) -> None:
    """One changed field of one event is found, and named once."""
    trail.record(4)

    trail.attack(f"UPDATE accord_auditevent SET {change} WHERE seq = 3")

    assert kinds(verify()) == {(ProblemKind.EDITED, 3)}


def test_edited_event_with_a_hash_that_fits_is_found(trail: Trail) -> None:
    """The next event does not continue it, and the signed head was of another one."""
    trail.record(4)
    row = AuditEvent.objects.using(trail.alias).get(seq=3)
    values: dict[str, Any] = {name: getattr(row, name) for name in FIELDS}
    link = Link(**{**values, "outcome": "failed"})

    trail.attack(f"UPDATE accord_auditevent SET outcome = 'failed', hash = '{link.digest()}' WHERE seq = 3")

    unsealed = (ProblemKind.UNSEALED, 3)
    assert kinds(verify()) == {(ProblemKind.UNCHAINED, 4), (ProblemKind.REWRITTEN, 3), unsealed}


@pytest.mark.parametrize("seq", [1, 3])
def test_deleted_event_is_found(trail: Trail, seq: int) -> None:
    """A number that is missing is named."""
    trail.record(4)

    trail.attack(f"DELETE FROM accord_auditevent WHERE seq = {seq}")

    assert kinds(verify()) == {(ProblemKind.MISSING, seq)}


def test_deleted_event_whose_gap_was_closed_is_found(trail: Trail) -> None:
    """Moving the later events up changes their numbers, which their hashes cover."""
    trail.record(4)

    trail.attack(
        "DELETE FROM accord_auditevent WHERE seq = 3", "UPDATE accord_auditevent SET seq = 3 WHERE seq = 4"
    )

    found = kinds(verify())
    assert (ProblemKind.EDITED, 3) in found
    assert (ProblemKind.CUT_OFF, 4) in found


def test_reordered_events_are_found(trail: Trail) -> None:
    """Two events that changed places fit neither their hashes nor their neighbours."""
    trail.record(5)

    trail.attack(
        "UPDATE accord_auditevent SET seq = 100 WHERE seq = 2",
        "UPDATE accord_auditevent SET seq = 2 WHERE seq = 3",
        "UPDATE accord_auditevent SET seq = 3 WHERE seq = 100",
    )

    found = kinds(verify())
    assert {(ProblemKind.EDITED, 2), (ProblemKind.EDITED, 3)} <= found
    assert (ProblemKind.UNCHAINED, 2) in found


@pytest.mark.parametrize("kept", [0, 3])
def test_tail_cut_off_is_found(trail: Trail, kept: int) -> None:
    """What is left fits together; the signed heads count more."""
    trail.record(5)

    trail.attack(f"DELETE FROM accord_auditevent WHERE seq > {kept}")

    assert kinds(verify()) == {(ProblemKind.CUT_OFF, kept + 1)}
    assert not verify_tail().intact


def test_tail_cut_off_and_grown_again_is_found(trail: Trail) -> None:
    """Events that take the place of those cut off are other ones than were signed."""
    trail.record(5)
    trail.attack("DELETE FROM accord_auditevent WHERE seq > 3")

    trail.record(4)

    assert (ProblemKind.REWRITTEN, 4) in kinds(verify())


def test_file_that_cannot_be_written_costs_a_line_and_no_event(
    trail: Trail, caplog: pytest.LogCaptureFixture
) -> None:
    """Where files are read-only, what was recorded stands, and one sentence says what to do."""
    trail.file.parent.mkdir(parents=True, exist_ok=True)
    trail.file.unlink(missing_ok=True)
    trail.file.mkdir()

    trail.record(2)
    trail.record(1)
    [warned] = look_at_heads()

    assert AuditEvent.objects.using(trail.alias).count() == 3
    assert caplog.text.count("AUDIT_CHECKPOINTS") == 1
    assert "Traceback" not in caplog.text
    assert (warned.level, warned.hint) == (Level.WARN, head_places.MOVE)

    trail.file.rmdir()
    trail.record(1)
    [fine] = look_at_heads()
    assert fine.level is Level.OK
    assert verify().anchored == 4


MOUNTED = """
import sys
import django
from django.conf import settings

settings.configure(
    SECRET_KEY="k" * 50, ACCORD={"AUDIT_CHECKPOINTS": sys.argv[1]},
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "accord"],
)
django.setup()
from accord.audit import signed_heads

print(signed_heads.obstacle())
"""


@pytest.mark.parametrize(("options", "said"), [("ro", "Read-only file system"), ("rw", "")])
def test_read_only_mount_is_seen_without_writing(tmp_path: Path, options: str, said: str) -> None:
    """As in a container; even the user root, whom rights don't stop, hears of it."""
    mount = f'mount -t tmpfs -o {options} none "$1" && exec "$2" -c "$3" "$1/accord/heads.jsonl"'
    command = ["unshare", "-rm", "sh", "-c", mount, "sh", str(tmp_path), sys.executable, MOUNTED]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    if "unshare failed" in done.stderr or "permission denied" in done.stderr:
        pytest.skip("this machine lets nobody mount anything")
    assert done.stdout.strip() == said, done.stderr


def test_trail_rewritten_with_new_hashes_is_found(trail: Trail) -> None:
    """All hashes fit; the first signed head behind the change does not."""
    trail.record(6)

    rewrite(trail, start=2, outcome="failed")

    assert kinds(verify()) == {(ProblemKind.REWRITTEN, 2), (ProblemKind.UNSEALED, 2)}


def test_trail_rewritten_with_its_table_of_heads_is_found(trail: Trail) -> None:
    """The file outside of the database is enough."""
    trail.record(3)
    signed_heads.take(trail.alias)

    rewrite(trail, outcome="failed")
    trail.attack("DELETE FROM accord_auditcheckpoint")

    assert kinds(verify()) == {(ProblemKind.REWRITTEN, 1), (ProblemKind.UNSEALED, 1)}


def test_table_of_heads_is_enough_when_the_file_is_lost(trail: Trail) -> None:
    """A head that was taken into the database shows a rewritten trail and a cut tail alike."""
    trail.record(3)
    signed_heads.take(trail.alias)
    trail.file.unlink()

    rewrite(trail, outcome="failed")
    beside = {(ProblemKind.HEADS_MISSING, 0), (ProblemKind.UNSEALED, 1)}
    assert kinds(verify()) == {(ProblemKind.REWRITTEN, 3), *beside}
    trail.attack("DELETE FROM accord_auditevent WHERE seq > 1")
    assert kinds(verify()) == {(ProblemKind.CUT_OFF, 2), *beside}


def test_head_signed_by_another_key_is_found(trail: Trail, settings: Settings) -> None:
    """Who rewrites the trail and signs heads of their own has the wrong key."""
    trail.record(3)
    trail.file.unlink()
    rewrite(trail, outcome="failed")
    secret, settings.SECRET_KEY = settings.SECRET_KEY, "of somebody else"
    [mark] = marks.all_of(trail.alias)
    signed_heads.note(trail.alias, mark, 3, "0" * 64)
    settings.SECRET_KEY = secret

    report = verify()

    beside = {(ProblemKind.HEADS_MISSING, 0), (ProblemKind.UNSEALED, 1)}
    assert kinds(report) == {(ProblemKind.FORGED_HEAD, 3), *beside}
    assert report.anchored == 0


def test_heads_stay_good_after_the_secret_was_replaced(trail: Trail, settings: Settings) -> None:
    """Heads signed under a secret that is kept as a fallback still count."""
    trail.record(2)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"

    assert verify().anchored == 2


@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("DROP TRIGGER accord_auditevent_refuse ON accord_auditevent", "accord_auditevent_refuse"),
        ("ALTER TABLE accord_auditevent DISABLE TRIGGER ALL", "accord_auditevent_refuse"),
        (
            "ALTER TABLE accord_auditevent ENABLE REPLICA TRIGGER accord_auditevent_refuse",
            "accord_auditevent_refuse",
        ),
        (
            """CREATE OR REPLACE FUNCTION accord_audit_refuse() RETURNS trigger LANGUAGE plpgsql
            AS 'BEGIN RETURN NULL; END;'""",
            "accord_auditevent_refuse",
        ),
        ("DROP TRIGGER accord_auditevent_continue ON accord_auditevent", "accord_auditevent_continue"),
        (
            "ALTER TABLE accord_auditevent DROP CONSTRAINT accord_auditevent_counters",
            "accord_auditevent_counters",
        ),
        ("ALTER TABLE accord_auditcheckpoint DISABLE TRIGGER USER", "accord_auditcheckpoint_refuse"),
    ],
)
def test_protection_taken_down_is_found(trail: Trail, statement: str, name: str) -> None:
    """A superuser may take a trigger or constraint away; the check misses it by name."""
    trail.record()

    trail.sql(statement)
    report = verify()

    assert {problem.kind for problem in report.problems} == {ProblemKind.UNPROTECTED}
    assert any(name in problem.text for problem in report.problems)


def test_check_from_the_middle_trusts_what_is_before(trail: Trail) -> None:
    """Only what was asked for is read, and the event to begin with is checked itself."""
    trail.record(5)
    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq IN (2, 4)")

    report = verify(since=4)

    assert kinds(report) == {(ProblemKind.EDITED, 4)}
    assert (report.checked, report.first) == (2, 4)


def test_half_a_line_in_the_file_does_no_harm(trail: Trail) -> None:
    """A full disk may cut a line; the next one begins anew, and both sides of it count."""
    trail.record(2)
    with trail.file.open("a") as file:
        file.write('{"database": "half')

    trail.record(2)
    report = verify()

    assert report.intact
    assert (report.heads, report.anchored) == (4, 4)


def test_file_of_heads_is_turned_over(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long file becomes the one before, which still counts."""
    monkeypatch.setattr(head_places, "_ROTATE_AT", 500)

    trail.record(5)

    assert trail.file.with_name("heads.jsonl.1").exists()
    assert verify().anchored == 5


def test_rotation_while_another_waits_keeps_every_head(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who waited for the lock of a file that was turned over writes to the new one, and leaves that be."""
    monkeypatch.setattr(head_places, "_ROTATE_AT", 1_000)
    lines = [json.dumps({"database": "d", "size": n, "hash": "h", "signature": "s"}) for n in range(150)]
    trail.file.write_text("\n".join(lines) + "\n")

    with head_places._locked(trail.file):
        rivals = [threading.Thread(target=_append, args=(trail.file, number)) for number in range(4)]
        for rival in rivals:
            rival.start()
        _await_waiting(trail.file, len(rivals))
        trail.file.replace(trail.file.with_name("heads.jsonl.1"))
        trail.file.write_text("")
    for rival in rivals:
        rival.join()

    kept = sizes(trail.file.with_name("heads.jsonl.1")) + sizes(trail.file)
    assert sorted(kept) == [*range(150), 1000, 1001, 1002, 1003]


def test_file_of_heads_that_vanished_is_made_again(trail: Trail) -> None:
    """Who waited for the lock of a file that is gone makes a new one instead of failing."""
    with head_places._locked(trail.file):
        rival = threading.Thread(target=_append, args=(trail.file, 1))
        rival.start()
        _await_waiting(trail.file, 1)
        trail.file.replace(trail.file.with_name("heads.jsonl.1"))
    rival.join()

    assert sizes(trail.file) == [1001]


def test_writers_on_one_file_lose_no_head(trail: Trail) -> None:
    """Several processes append across a rotation: the file and the one before hold every line."""
    writers, lines = 4, 500
    each = len(json.dumps({"database": "d" * 16, "size": 1000, "hash": "h" * 64, "signature": "s" * 90})) + 1
    program = ROTATING.format(limit=int(each * writers * lines * 0.6), lines=lines)
    started = [
        subprocess.Popen([sys.executable, "-c", program, str(trail.file), str(writer)], cwd=ROOT)
        for writer in range(writers)
    ]
    assert [one.wait(timeout=120) for one in started] == [0] * writers

    rotated = sizes(trail.file.with_name("heads.jsonl.1"))
    assert rotated
    assert sorted(rotated + sizes(trail.file)) == sorted(
        writer * 1000 + number for writer in range(writers) for number in range(lines)
    )


ROTATING = """
import sys
from pathlib import Path
import django
from django.conf import settings

settings.configure(INSTALLED_APPS=["accord"])
django.setup()
from accord.audit import head_places, signed_heads

head_places._ROTATE_AT = {limit}
for number in range({lines}):
    head = signed_heads.Head(
        database="d" * 16, size=int(sys.argv[2]) * 1000 + number, hash="h" * 64, signature="s" * 90,
        source="file",
    )
    head_places.File(Path(sys.argv[1])).append(signed_heads._line(head), sync=False)
"""
"""A process that appends heads."""


def sizes(file: Path) -> list[int]:
    """Read which heads a file holds."""
    return [json.loads(line)["size"] for line in file.read_text().splitlines()]


def _append(file: Path, number: int) -> None:
    head = signed_heads.Head(database="d", size=1000 + number, hash="h", signature="s", source="file")
    head_places.File(file).append(signed_heads._line(head), sync=False)


def _await_waiting(file: Path, count: int) -> None:
    """Wait until so many wait for the lock of a file, by what the kernel says."""
    inode = f":{file.stat().st_ino} "
    while (
        sum("->" in line and inode in line for line in Path("/proc/locks").read_text().splitlines()) < count
    ):
        time.sleep(0.01)


# --- the command ----------------------------------------------------------------------------------


def answer(*arguments: str) -> tuple[int, str]:
    """Run the command; give its exit code and what it answered."""
    out = io.StringIO()
    try:
        call_command("audit_verify", *arguments, stdout=out)
    except SystemExit as exc:
        return int(str(exc.code)), out.getvalue()
    return 0, out.getvalue()


def test_command_says_that_the_trail_is_intact(trail: Trail) -> None:
    """Exit code 0, and how far signed heads vouch for it."""
    trail.record(3)

    code, said = answer()

    assert code == 0
    assert "intact: events 1 to 3" in said
    assert "up to event 3" in said


def test_command_names_the_broken_event(trail: Trail, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 6, with the number of the event; standard error says it too, for cron to mail."""
    trail.record(3)
    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 2")

    code, said = answer("--full")

    assert code == 6
    assert "NOT intact" in said
    assert "edited: Event 2 is not what was written." in said
    assert "[ACC-903]" in capsys.readouterr().err


def test_command_answers_in_json(trail: Trail) -> None:
    """One document with a schema; --checkpoint adds the head that was signed."""
    trail.record(3)

    code, said = answer("--format", "json", "--checkpoint")
    document = json.loads(said)

    assert code == 0
    assert document["schema"] == "accord.audit/1"
    assert (document["intact"], document["last"], document["anchored"]) == (True, 3, 3)
    assert document["error"] is None
    assert document["checkpoint"]["size"] == 3
    assert trail.rows("SELECT size FROM accord_auditcheckpoint") == [(3,)]


def test_command_signs_no_broken_trail(trail: Trail) -> None:
    """A head says that everything before it is right; none is taken when it is not."""
    trail.record(3)
    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 2")

    code, said = answer("--checkpoint", "--format", "json")

    assert code == 6
    document = json.loads(said)
    assert document["error"]["code"] == "ACC-903"
    assert document["problems"] == [{"kind": "edited", "seq": 2, "text": "Event 2 is not what was written."}]
    assert trail.rows("SELECT size FROM accord_auditcheckpoint") == []


def test_command_checks_the_tail(trail: Trail) -> None:
    """A broken event among the newest is found without reading all."""
    trail.record(3)
    trail.attack("UPDATE accord_auditevent SET outcome = 'failed' WHERE seq = 3")

    assert answer("--tail")[0] == 6


def test_signing_twice_is_harmless(trail: Trail) -> None:
    """The same head again adds nothing to the table."""
    trail.record(2)

    assert answer("--checkpoint")[0] == 0
    assert answer("--checkpoint")[0] == 0
    assert trail.rows("SELECT size FROM accord_auditcheckpoint") == [(2,)]


def test_file_that_cannot_be_written_is_said(trail: Trail, capsys: pytest.CaptureFixture[str]) -> None:
    """A head that was asked for and can't leave the database is a failure."""
    trail.record()
    trail.file.unlink()
    Path(trail.file).mkdir()

    with pytest.raises(AuditError, match="can't be read"):
        verify()
    code, _ = answer("--checkpoint")

    assert code == 1
    assert "ACC-900" in capsys.readouterr().err


def test_missing_tables_are_said(trail: Trail) -> None:
    """Before the first migration there is no trail, which is no intact one."""
    call_command("migrate", "accord", "zero", database=trail.alias, verbosity=0, skip_checks=True)

    with pytest.raises(StoreError, match="can't be read"):
        verify()
    with pytest.raises(StoreError, match="can't be read"):
        verify_tail()
