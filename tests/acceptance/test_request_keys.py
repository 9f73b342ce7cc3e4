"""Each request has a key of its own: once that is destroyed, nothing on disk opens what it sealed."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from accord.embedded import postgres_binary
from tests.fix_postgres import execute, rows_of
from tests.fix_requests import PRELUDE, Erasing

pytestmark = pytest.mark.acceptance

TOMORROW = "UPDATE gdpr_erasurerequest SET verify_again_at = now() WHERE verify_again_at IS NOT NULL"
LOSE = "TRUNCATE gdpr_requestkey"
"""What a crash of PostgreSQL does to an unlogged table."""
KEYS = "SELECT count(*) FROM gdpr_requestkey"
NONE = [(0,)]
TOKEN = re.compile(rb"gAAAA[A-Za-z0-9_-]{60,}={0,2}")
DUMPED = re.compile(rb"\\\\x([0-9a-f]{120,})")
ATTACK = """
import base64, re
from pathlib import Path
from cryptography.fernet import Fernet, InvalidToken
from accord.secrets import keys as derived_keys
tokens = [bytes.fromhex(one) for one in Path({tokens!r}).read_text().split()]
def opened(box):
    for token in tokens:
        try: yield box.decrypt(token)
        except InvalidToken: pass
derived = [
    Fernet(base64.urlsafe_b64encode(key.secret))
    for purpose in ("gdpr.sealing", "gdpr.request_keys") for key in derived_keys.derived(purpose)
]
texts = [text for box in derived for text in opened(box)]
own = [Fernet(text) for text in texts if re.fullmatch(rb"[A-Za-z0-9_-]{{43}}=", text)]
texts += [text for box in own for text in opened(box)]
said = [json.loads(text) for text in texts if text.startswith(b"{{")]
say(sorted({{person["primary"] for person in said}}))
"""


def on_disk(erasing: Erasing, tmp_path: Path) -> list[int]:
    """Read every file of the database and of the write-ahead log, and open what `SECRET_KEY` opens."""
    flush(erasing.project.database_url)
    [(home, database)] = rows_of(
        erasing.project.database_url,
        "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()",
    )
    folders = (Path(home) / "base" / str(database), Path(home) / "pg_wal")
    files = [path for folder in folders for path in folder.iterdir() if path.is_file()]
    return people_in([path.read_bytes() for path in files], erasing, tmp_path)


def flush(url: str) -> None:
    """Have the server write all buffers to disk; a checkpoint leaves out those of unlogged tables."""
    name, server = urlsplit(url).path.strip("/"), urlunsplit(urlsplit(url)._replace(path="/postgres"))
    copy = f"{name}_copy"
    execute(server, f"CREATE DATABASE {copy} TEMPLATE {name} STRATEGY file_copy", f"DROP DATABASE {copy}")


def people_in(contents: list[bytes], erasing: Erasing, tmp_path: Path) -> list[int]:
    """Return the primary keys of people whose sealed keys open with what is there and `SECRET_KEY`."""
    tokens = {token for content in contents for found in TOKEN.findall(content) for token in ends(found)}
    candidates = tmp_path / "tokens"
    candidates.write_text("\n".join(token.hex() for token in tokens))
    found: list[int] = erasing.call(ATTACK.format(tokens=str(candidates)))
    return found


def ends(found: bytes) -> Iterator[bytes]:
    """Yield a token as it may have been: letters that follow it may belong to something else."""
    yield found
    for blocks in range(1, len(found) // 21):
        yield found[: 4 * math.ceil((57 + 16 * blocks) / 3)]


def dump(erasing: Erasing, *options: str) -> list[bytes]:
    """Dump the database, with its binary columns as bytes."""
    text = subprocess.run(
        [str(postgres_binary("pg_dump")), *options, erasing.project.database_url],
        capture_output=True,
        check=True,
    ).stdout
    return [bytes.fromhex(found.decode()) for found in DUMPED.findall(text)]


def levels(erasing: Erasing) -> str:
    """Give the level of the check of keys."""
    done = erasing.command("health_check", "--only", "erasure.keys", "--format", "json")
    [finding] = json.loads(done.stdout)["findings"]
    return str(finding["level"])


def test_once_requests_are_over_nothing_on_disk_opens_their_keys(erasing: Erasing, tmp_path: Path) -> None:
    """Heap, indexes, WAL and a dump give the open person alone: nobody cancelled, refused or closed."""
    for_ever = erasing.reference("planned(1)")
    cancelled, refused, closed = erasing.call(
        "say([planned(2).reference, planned(3).reference, approved(4).reference])"
    )
    before = on_disk(erasing, tmp_path)
    careless = people_in(dump(erasing), erasing, tmp_path)
    careful = people_in(dump(erasing, "--no-unlogged-table-data"), erasing, tmp_path)

    erasing.erase("--request", cancelled, "--cancel", "--as", "filer")
    erasing.erase("--request", refused, "--reject", "12(5)", "--as", "approver", "--reason", "x")
    erasing.erase("--request", closed)
    erasing.execute(TOMORROW)
    cron = erasing.command("gdpr_process", "--format", "json")

    assert before == [1, 2, 3, 4], "what is looked for can be found"
    assert (careless, careful) == ([1, 2, 3, 4], [])
    assert json.loads(cron.stdout)["verified"] == [closed]
    assert on_disk(erasing, tmp_path) == [1]
    assert people_in(dump(erasing), erasing, tmp_path) == [1]
    assert erasing.rows("SELECT reference FROM gdpr_requestkey") == [(for_ever,)]
    assert levels(erasing) == "ok"


def test_the_table_is_written_to_no_log_ahead(erasing: Erasing) -> None:
    """It is unlogged, with its indexes; so are no base backup and no standby of it."""
    kinds = erasing.rows("SELECT DISTINCT relpersistence FROM pg_class WHERE relname LIKE 'gdpr_requestkey%'")
    assert kinds == [("u",)]


def test_killed_between_the_end_and_the_destruction_cron_destroys(erasing: Erasing, tmp_path: Path) -> None:
    """The request is over; its key is told as left, and goes in the next round."""
    request = erasing.reference("planned(2)")

    killed = erasing.project.run(
        "-c",
        "import django; django.setup()\n"
        "import os, signal\n"
        "from django.contrib.auth import get_user_model\n"
        "from gdpr.erasure import encryption, requests, state_changes\n"
        "encryption._destroyed = lambda: os.kill(os.getpid(), signal.SIGKILL)\n"
        "filer = get_user_model().objects.get(username='filer')\n"
        f"requests.cancel(state_changes.find('{request}'), by=filer)",
        program=(),
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert (erasing.state(request), levels(erasing)) == ("cancelled", "warn")
    assert erasing.command("gdpr_process").returncode == 0
    assert (erasing.rows(KEYS), levels(erasing)) == ([(0,)], "ok")
    assert on_disk(erasing, tmp_path) == []


def test_key_that_others_look_at_for_long_is_destroyed_in_the_next_round(erasing: Erasing) -> None:
    """Two seconds are waited for the table; the request is over in any case."""
    told = erasing.call(
        f"DSN = {erasing.project.database_url!r}"
        """
import psycopg2
request = planned(2)
other = psycopg2.connect(DSN)
with other.cursor() as cursor: cursor.execute("SELECT * FROM gdpr_requestkey")
requests.cancel(request, by=filer)
meanwhile = RequestKey.objects.count()
other.close()
processing.process_due()
say([meanwhile, RequestKey.objects.count(), ErasureRequest.objects.get(pk=request.pk).state])
"""
    )

    assert told == [1, 0, "cancelled"]


def test_request_that_was_filed_before_is_carried_over_and_completed(erasing: Erasing) -> None:
    """Cron gives those that one key opened their own; one that is under way gets it there."""
    cron, under_way = erasing.call("""
def as_before(request):
    old = encryption.seal(encryption.keys_of(request).to_json())
    ErasureRequest.objects.filter(pk=request.pk).update(sealed_keys=old)
    RequestKey.objects.filter(reference=request.reference).delete()
    return request.reference
say([as_before(planned(5)), as_before(begun(6))])
""")
    whose = "say([encryption.keys_of(one).primary for one in ErasureRequest.objects.order_by('pk')])"
    assert erasing.call(whose) == [5, 6]

    done = erasing.erase("--request", under_way)
    assert done.returncode == 0, done.stdout + done.stderr
    assert erasing.rows("SELECT reference FROM gdpr_requestkey") == [(under_way,)]
    assert erasing.command("gdpr_process").returncode == 0

    assert erasing.rows(KEYS) == [(2,)]
    assert erasing.call(whose) == [5, 6]
    assert erasing.call("say(request_keys.sealed_otherwise().count())") == 0
    erasing.assert_gone(6)
    erasing.erase("--request", cron, "--cancel", "--as", "filer")
    assert erasing.rows(KEYS) == [(1,)]


def test_lost_key_is_asked_for_and_held_against_the_request(erasing: Erasing) -> None:
    """Health, cron and the command say so; another person is refused, the right one voids the approval."""
    request = erasing.reference("approved(7)")
    erasing.execute(LOSE)

    lost = levels(erasing)
    cron = json.loads(erasing.command("gdpr_process", "--format", "json").stdout)
    shown = erasing.erase("--request", request)
    other = erasing.erase("--request", request, "--key", "8", "--as", "filer")
    nobody = erasing.erase("--request", request, "--key", "999999", "--as", "nobody")
    again = erasing.erase("--request", request, "--key", "7", "--as", "filer")

    assert (lost, cron["waiting"]) == ("critical", {request: "ACC-838"})
    assert (shown.returncode, "ACC-838" in shown.stderr, "--key KEY" in shown.stderr) == (3, True, True)
    assert (other.returncode, "ACC-839" in other.stderr) == (2, True), other.stderr
    assert nobody.returncode == 4, nobody.stderr
    assert again.returncode == 5, again.stdout + again.stderr
    assert (erasing.state(request), levels(erasing)) == ("planned", "ok")
    twice = erasing.erase("--request", request, "--key", "7", "--as", "filer")
    assert (twice.returncode, "ACC-822" in twice.stderr) == (2, True), twice.stderr
    erasing.erase("--request", request, "--approve", "--as", "approver", "--reason", "x")
    assert erasing.erase("--request", request).returncode == 0
    erasing.assert_gone(7)


def test_key_lost_after_the_fence_takes_every_key_and_a_question(erasing: Erasing) -> None:
    """The person's row may be anonymised: their address is asked for, and what has it is asked about."""
    reference, email, account = erasing.call("""
from examples.streaming.models import Listener
email = Listener.objects.get(pk=8).email
account = get_user_model().objects.create_user(email)
request = begun(8)
Listener.objects.filter(pk=8).update(email="gone@erased.invalid")
say([request.reference, email, account.pk])
""")
    erasing.execute(LOSE)

    part = erasing.erase("--request", reference, "--key", "8", "--as", "filer")
    whole = erasing.erase("--request", reference, "--key", "8", "--key", f"email={email}", "--as", "filer")
    asked = erasing.state(reference)
    told = erasing.erase("--request", reference, "--same-person", "django-users", "--as", "filer")
    done = erasing.erase("--request", reference)

    assert (part.returncode, "email" in part.stderr, email in part.stderr) == (3, True, False), part.stderr
    assert (whole.returncode, asked) == (3, "needs_operator"), whole.stdout + whole.stderr
    assert (told.returncode, done.returncode) == (0, 0), told.stderr + done.stdout + done.stderr
    assert erasing.rows(f"SELECT count(*) FROM auth_user WHERE id = {account}") == [(0,)]
    erasing.assert_gone(8)


def test_many_people_are_opened_by_as_many_statements_as_few(erasing: Erasing) -> None:
    """A set of requests is opened, sealed and closed as one."""
    few, many = erasing.call("""
from django.db import connection
from django.test.utils import CaptureQueriesContext
def statements(count):
    made = [requests.file_request(keys(one + 1), by=filer, channel=Channel.API) for one in range(count)]
    with CaptureQueriesContext(connection) as seen:
        people, refused = encryption.people_of([one.pk for one in made], RequestState.RECEIVED)
        assert (len(people), refused) == (count, {})
        encryption.reseal(made, people)
        ErasureRequest.objects.update(state=RequestState.CANCELLED, sealed_keys=None)
        assert request_keys.destroy_ended() == count
    return len(seen)
say([statements(2), statements(12)])
""")

    assert few == many


def test_filed_by_ten_at_once_a_person_has_one_request_and_one_key(erasing: Erasing) -> None:
    """Duplicates seal nothing; the key is that of the request that counts."""
    told = erasing.call("""
from concurrent.futures import ThreadPoolExecutor
from django.db import connections
whom = keys(9)
def file(_):
    try: return requests.file_request(whom, by=filer, channel=Channel.API).state
    finally: connections.close_all()
with ThreadPoolExecutor(10) as pool: states = list(pool.map(file, range(10)))
[one] = RequestKey.objects.all()
request = ErasureRequest.objects.get(state="received")
say([states.count("received"), one.reference == request.reference, encryption.keys_of(request).primary])
""")

    assert told == [1, True, 9]


FOLDER = """
import os, time
from pathlib import Path
from django.conf import settings
folder = Path({folder!r})
settings.ACCORD = {{**settings.ACCORD, "REQUEST_KEYS": str(folder)}}
"""


def test_keys_in_a_folder_are_overwritten_at_the_end(erasing: Erasing, tmp_path: Path) -> None:
    """One file each, for its owner alone; the end leaves no byte of it."""
    told = erasing.call(
        FOLDER.format(folder=str(tmp_path))
        + """
one, two = planned(1), approved(2)
names = sorted(path.name for path in folder.iterdir())
modes = {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()}
linked = folder.parent / "still-open"
os.link(folder / one.reference, linked)
wrapped = linked.read_bytes()
requests.cancel(one, by=filer)
after = linked.read_bytes()
linked.unlink()
erasure.work(two)
ErasureRequest.objects.filter(pk=two.pk).update(verify_again_at="2020-01-01T00:00:00Z")
processing.process_due()
say([
    names == sorted([one.reference, two.reference]), modes, RequestKey.objects.count(),
    len(after) == len(wrapped) and after != wrapped, list(folder.iterdir()),
    ErasureRequest.objects.get(pk=two.pk).closed_at is not None,
])
"""
    )

    assert told == [True, "{'0o600'}", 0, True, [], True]


def test_what_a_kill_leaves_in_a_folder_goes(erasing: Erasing, tmp_path: Path) -> None:
    """A key without a request is removed once it is an hour old; a missing folder is no empty one."""
    told = erasing.call(
        FOLDER.format(folder=str(tmp_path))
        + """
from accord.errors import ConfigurationError
from gdpr.errors import KeysDestroyed
kept = planned(3)
for name in ("a" * 32, "b" * 32, "c" * 32 + ".part", "notes.txt"): (folder / name).write_bytes(b"gAAAA")
for name in ("a" * 32, "c" * 32 + ".part", "notes.txt", kept.reference):
    os.utime(folder / name, (time.time() - 7200,) * 2)
request_keys.destroy_ended()
left = sorted(path.name for path in folder.iterdir())
settings.ACCORD = {**settings.ACCORD, "REQUEST_KEYS": str(folder / "not-mounted")}
try: encryption.keys_of(kept)
except ConfigurationError as exc: refused = exc.code
del settings.ACCORD["REQUEST_KEYS"]
try: encryption.keys_of(kept)
except KeysDestroyed as exc: lost = exc.code
say([left == sorted(["b" * 32, "notes.txt", kept.reference]), refused, lost])
"""
    )

    assert told == [True, "ACC-110", "ACC-838"]


def test_key_of_the_table_is_found_after_the_folder_is_set(erasing: Erasing, tmp_path: Path) -> None:
    """What is open goes on where its key is; what is filed from then on has a file."""
    told = erasing.call(
        "first = planned(1)\n"
        + FOLDER.format(folder=str(tmp_path))
        + """
second = planned(2)
whose = [encryption.keys_of(one).primary for one in (first, second)]
requests.cancel(first, by=filer)
say([whose, RequestKey.objects.count(), [path.name for path in folder.iterdir()] == [second.reference]])
"""
    )

    assert told == [[1, 2], 0, True]


@pytest.mark.parametrize("place", ["table", "folder"])
def test_killed_between_key_and_request_nothing_is_filed(
    erasing: Erasing, tmp_path: Path, place: str
) -> None:
    """A row goes with its transaction; a file is left, is nobody's, and is overwritten an hour later."""
    setting = FOLDER.format(folder=str(tmp_path)) if place == "folder" else ""
    killed = erasing.project.run(
        "-c",
        PRELUDE
        + setting
        + "import os, signal\n"
        + "kept = request_keys.keep\n"
        + "def keep(made): kept(made); os.kill(os.getpid(), signal.SIGKILL)\n"
        + "request_keys.keep = keep\n"
        + "requests.file_request(keys(4), by=filer, channel=Channel.API)",
        program=(),
    )

    assert killed.returncode == -signal.SIGKILL, killed.stderr
    left = list(tmp_path.iterdir())
    assert (erasing.rows("SELECT count(*) FROM gdpr_erasurerequest"), erasing.rows(KEYS)) == (NONE, NONE)
    assert len(left) == (place == "folder")
    for path in left:
        os.utime(path, (0, 0))
    gone = erasing.call(setting + "say([request_keys.destroy_ended(), planned(4).state])")
    assert gone == [len(left), "planned"]
    assert not set(left) & set(tmp_path.iterdir())
