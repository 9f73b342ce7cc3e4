"""A step that a server ends is told with what ended it: each cause its own sentence and next move."""

from __future__ import annotations

import json
import socket
import struct
import threading
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.conformance.harness_alembic import ENV, INI
from tests.fix_postgres import execute
from tests.fix_workshop import Workshop

pytestmark = pytest.mark.acceptance

HISTORY = """
from alembic import op
revision, down_revision = "0001_history", None
def upgrade() -> None:
    op.execute("SET LOCAL statement_timeout = '50ms'")
    op.execute("SELECT pg_sleep(5)")
"""
SLOW = """
    def act(db, session):
        db.slow.insert_one({"name": "jane@example.com"})
        db.command({"count": "slow", "query": {"$where": "sleep(100) || true"}, "maxTimeMS": 20})

    class Migration(base.Migration):
        operations = [base.RunPython(act, base.RunPython.noop)]
"""
SAYS = {
    "default:workshop.0002_second": "doesn't give us a right",
    "history:workshop.0001_history": "took longer than allowed",
    "mongodb:workshop.0001_slow": "longer than maxTimeMS allows",
}
RECORD = """
SELECT s.store || ':' || s.app || '.' || s.name, coalesce(nullif(s.error, ''), r.error)
FROM migrator_run r JOIN migrator_steprun s ON s.run_id = r.id
WHERE r.started_at = (SELECT max(started_at) FROM migrator_run) AND s.outcome IN ('failed', 'interrupted')
"""
"""What is on record of steps that the last run didn't get done."""


@pytest.fixture
def stocked(workshop: Workshop) -> Workshop:
    """Give a project with its first migration applied."""
    workshop.django("0001_first", "Thing")
    assert workshop.run("migrate_all", "--noinput").returncode == 0
    return workshop


def outcomes(workshop: Workshop, **variables: str) -> Mapping[str, dict[str, Any]]:
    """
    Run into errors of steps, and give them by the step.

    The message names the step that was under way, and the run's record says the same.
    """
    done = workshop.run("migrate_all", "--noinput", "--format", "json", **variables)
    assert "Traceback" not in done.stderr
    document = json.loads(done.stdout)
    found = [*document.get("failed", ()), *filter(None, [document.get("error")])]
    recorded = dict(workshop.rows(RECORD))
    named = {key: each for each in found for key in recorded if key in each["message"]}
    assert {key: each["message"] for key, each in named.items()} == recorded
    assert len(named) == len(found)
    return named


def failure(workshop: Workshop, operation: str) -> dict[str, Any]:
    """Run a second migration that fails, and give its error."""
    workshop.write(
        "migrations/0002_second.py",
        f"""
        import json
        class Migration(migrations.Migration):
            dependencies = [("workshop", "0001_first")]
            operations = [{operation}]
        """,
    )
    [(step, found)] = outcomes(workshop).items()
    assert step == "default:workshop.0002_second"
    return found


def test_each_store_names_the_step_and_what_ended_it(stocked: Workshop, tmp_path: Path) -> None:
    """Steps of one run, each ended by its server; a session that was ended ends the run, and names it."""
    (tmp_path / "history" / "versions").mkdir(parents=True)
    for name, text in {"alembic.ini": INI, "env.py": ENV, "versions/0001_history.py": HISTORY}.items():
        (tmp_path / "history" / name).write_text(text)
    stocked.write("mongo_migrations/0001_slow.py", SLOW)
    refused = ["SET LOCAL ROLE pg_monitor", "CREATE TABLE public.refused (id int)"]
    stocked.write("migrations/0002_second.py", f"""
        class Migration(migrations.Migration):
            dependencies = [("workshop", "0001_first")]
            operations = [migrations.RunSQL({refused!r})]
        """)  # fmt: skip

    found = outcomes(stocked, WORKSHOP_HISTORY=str(tmp_path / "history" / "alembic.ini"))

    assert {
        step: (each["code"], SAYS[step] in each["message"]) for step, each in found.items()
    } == dict.fromkeys(SAYS, ("ACC-400", True))
    assert "jane" not in json.dumps(found)
    (stocked.folder / "workshop" / "mongo_migrations" / "0001_slow.py").unlink()
    ended = failure(stocked, 'migrations.RunSQL("SELECT pg_terminate_backend(pg_backend_pid())")')
    assert (ended["code"], "ended our connection" in ended["message"]) == ("ACC-601", True)


def test_place_is_the_revisions(stocked: Workshop) -> None:
    """Its line where it has one, else its file; never a frame of a library. What data is, is masked."""
    own = failure(stocked, "migrations.RunPython(lambda apps, editor: json.loads('jane@example.com'))")
    declared = failure(stocked, "migrations.RunPython(json.loads)")

    assert "0002_second.py, line " in own["message"]
    assert "0002_second.py" in declared["message"]
    for found in (own, declared):
        assert "json/" not in found["message"]
        assert "site-packages" not in found["message"]
        assert "jane" not in found["message"] + found["hint"]


# --- before any step ---------------------------------------------------------------------------------------


def refused(workshop: Workshop, **variables: str) -> dict[str, Any]:
    """Give the error of a run that does not begin."""
    done = workshop.run("migrate_all", "--noinput", "--format", "json", **variables)
    assert done.returncode == 8, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["error"]
    return found


def test_a_full_server_is_neither_away_nor_closed_to_us(stocked: Workshop) -> None:
    """A role, of which no further connection is let in."""
    url, role = urlsplit(stocked.variables["DATABASE_URL"]), f"role_{uuid.uuid4().hex[:8]}"
    execute(url.geturl(), f"CREATE ROLE {role} LOGIN PASSWORD 'hush' CONNECTION LIMIT 0")
    netloc = f"{role}:hush@{url.hostname}:{url.port}"
    found = refused(stocked, DATABASE_URL=url._replace(netloc=netloc).geturl())
    execute(url.geturl(), f"DROP ROLE {role}")

    assert found["code"] == "ACC-601"
    assert "has no connection left for us: too many connections for role" in found["message"]
    assert "idle" in found["hint"]
    assert "hush" not in json.dumps(found)


def test_a_pooler_that_refuses_how_we_connect_is_told_as_that(stocked: Workshop) -> None:
    """Settings that PostgreSQL takes when a connection starts are a stranger's to PgBouncer."""
    url = urlsplit(stocked.variables["DATABASE_URL"])
    with pooler("unsupported startup parameter: options") as port:
        netloc = f"{url.username}:{url.password or ''}@127.0.0.1:{port}"
        query = "options=-c%20search_path%3Dpublic"
        found = refused(stocked, DATABASE_URL=url._replace(netloc=netloc, query=query).geturl())

    assert found["code"] == "ACC-602"
    assert "doesn't take how we connect: unsupported startup parameter: options" in found["message"]
    assert "ignore_startup_parameters" in found["hint"]
    assert "OPTIONS of DATABASES['default']" in found["hint"]


@contextmanager
def pooler(refusal: str) -> Iterator[int]:
    """Answer each start of a connection as PgBouncer does to a parameter that it doesn't know."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=_refuse, args=[listener, refusal], daemon=True).start()
        yield listener.getsockname()[1]
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)


def _refuse(listener: socket.socket, refusal: str) -> None:
    fields = ("SFATAL", "C08P01", f"M{refusal}")
    body = b"".join(field.encode() + b"\0" for field in fields) + b"\0"
    with suppress(OSError):
        while True:
            caller, _ = listener.accept()
            with caller:
                while _asks_for_encryption(caller):
                    caller.sendall(b"N")
                caller.sendall(b"E" + struct.pack("!i", len(body) + 4) + body)


def _asks_for_encryption(caller: socket.socket) -> bool:
    """Read the first packet of a client, and tell whether it asks for TLS or GSS before it says who it is."""
    length, code = struct.unpack("!ii", caller.recv(8, socket.MSG_WAITALL))
    caller.recv(max(length - 8, 0), socket.MSG_WAITALL)
    return code in (80877103, 80877104)
