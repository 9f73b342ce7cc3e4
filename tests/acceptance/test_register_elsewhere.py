"""The register of erasures in a database of its own: what holds of the file holds of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from tests.acceptance.test_register import DIES, _prelude, health
from tests.acceptance.test_restored import replay
from tests.fix_postgres import execute, rows_of
from tests.fix_requests import Erasing
from tests.fix_sample import copy_postgres

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
CLOSED = "postgres://nobody:nothing@127.0.0.1:1/register"
OFF = "SET session_replication_role = replica"


class Elsewhere(Erasing):
    """The sample project with such a register, and what whoever rules that database can do."""

    @property
    def url(self) -> str:
        """Address of the register's database."""
        return self.project.extra["REGISTER_URL"]

    @property
    def table(self) -> str:
        """The table; in tests the address of the coordinating database is in its name."""
        query = "SELECT tablename FROM pg_tables WHERE tablename ~ '^accord_erasure_register_[0-9a-f]{16}$'"
        [(name,)] = rows_of(self.url, query)
        return str(name)

    def said(self) -> list[str]:
        """Tell what stands in it."""
        rows = rows_of(self.url, f"SELECT line::json ->> 'word' FROM {self.table} ORDER BY seq")
        return [word for (word,) in rows]

    def forge(self, statement: str) -> None:
        """Change it past its triggers."""
        execute(self.url, f"{OFF}; {statement.format(self.table)}")


@pytest.fixture
def elsewhere(erasing: Erasing, new_database: Callable[[], str]) -> Elsewhere:
    """Give such a project."""
    settings = {
        "DJANGO_SETTINGS_MODULE": "tests.projects.registered.settings",
        "REGISTER_URL": new_database(),
    }
    return Elsewhere(replace(erasing.project, extra={**erasing.project.extra, **settings}))


@pytest.mark.by_turns(3)
def test_nothing_is_erased_without_it(elsewhere: Elsewhere) -> None:
    """Away, gone, cut off, of another database: nothing begins, health is critical; afterwards it goes on."""
    assert elsewhere.erase("--request", elsewhere.reference("approved(3)")).returncode == 0
    approved, before = elsewhere.reference("approved(4)"), elsewhere.holdings(4)
    # The copy is there only meanwhile: a table that no entry of the data map knows would change the plan.
    table, copy = elsewhere.table, "CREATE TABLE kept AS SELECT * FROM {0}; "
    again = f"DELETE FROM {table}; INSERT INTO {table} SELECT * FROM kept; DROP TABLE kept"
    other = (
        """UPDATE {0} SET line = jsonb_set(line::jsonb, '{{facts,register}}', '"00"')::text WHERE seq = 1"""
    )
    spoilt = {
        "ACC-852": (copy + "DELETE FROM {0} WHERE seq = 3", again),
        "ACC-853": (copy + other, again),
        "ACC-853 gone": ("ALTER TABLE {} RENAME TO away", f"ALTER TABLE away RENAME TO {table}"),
        "ACC-851": ("SELECT 1", "SELECT 1"),
    }

    for code, (spoil, mend) in spoilt.items():
        env: dict[str, Any] = {"REGISTER_URL": CLOSED} if code == "ACC-851" else {}
        elsewhere.forge(spoil)
        stopped = elsewhere.erase("--request", approved, **env)
        cron = elsewhere.command("gdpr_process", **env)
        replayed = elsewhere.command("gdpr_replay", "--noinput", **env)
        found = elsewhere.command("health_check", "--only", "erasure.register", **env)

        assert code[:7] in stopped.stderr, stopped.stdout + stopped.stderr
        assert stopped.returncode == replayed.returncode != 0
        assert (cron.returncode, code[:7] in cron.stdout) == (3, True), cron.stdout + cron.stderr
        assert (found.returncode, "CRITICAL" in found.stdout.upper()) == (2, True), found.stdout
        assert (elsewhere.state(approved), elsewhere.holdings(4)) == ("approved", before)
        execute(elsewhere.url, f"{OFF}; {mend}")

    assert health(elsewhere)["level"] == "ok"
    assert elsewhere.erase("--request", approved).returncode == 0
    elsewhere.assert_gone(4)
    assert elsewhere.said() == ["begun", "intended", "done", "intended", "done"]
    assert not elsewhere.project.register.exists()


@pytest.fixture
def backup(elsewhere: Elsewhere) -> Iterator[str]:
    """Give the address of a backup of PostgreSQL, from before anybody was erased but listener 2."""
    assert elsewhere.erase("--request", elsewhere.reference("approved(2)")).returncode == 0
    url = urlsplit(elsewhere.project.database_url)
    address = urlunsplit(url._replace(path=f"{url.path}_backup"))
    copy_postgres(elsewhere.project.database_url, address)
    yield address
    execute(urlunsplit(url._replace(path="/postgres")), f'DROP DATABASE "{url.path.strip("/")}_backup"')


@pytest.mark.by_turns(3)
def test_restore_is_noticed_and_replayed(elsewhere: Elsewhere, backup: str) -> None:
    """The coordinating database goes back, and the register doesn't: who came back is erased again."""
    assert elsewhere.erase("--request", elsewhere.reference("approved(3)")).returncode == 0
    copy_postgres(backup, elsewhere.project.database_url)
    assert elsewhere.holdings(3)["listener"] == 1
    noticed = health(elsewhere)
    stopped = elsewhere.erase("--request", elsewhere.reference("approved(4)"))
    done = replay(elsewhere)

    assert noticed["level"] == "critical", noticed
    assert "default (1 erasure to be replayed)" in noticed["message"]
    assert (stopped.returncode, "ACC-854" in stopped.stderr) == (4, True), stopped.stderr
    assert done["finished"], done
    elsewhere.assert_gone(3)
    assert health(elsewhere)["level"] == "ok"
    assert elsewhere.said()[-2:] == ["done", "replayed"]


@pytest.mark.by_turns(3)
def test_killed_after_an_entry_it_is_entered_again(elsewhere: Elsewhere) -> None:
    """As in a file; PostgreSQL guards it, and who else looks at that database finds no fault."""
    reference = elsewhere.reference("approved(5)")
    for word in ("intended", "done"):
        done = elsewhere.command("-c", _prelude(DIES.format(word=word, reference=reference)), program=())
        assert done.returncode == -9, done.stderr
    assert elsewhere.command("gdpr_process").returncode == 0
    assert elsewhere.said() == ["begun", "intended", "intended", "done", "done"]
    elsewhere.assert_gone(5)

    with pytest.raises(psycopg2.errors.RestrictViolation):
        execute(elsewhere.url, f"DELETE FROM {elsewhere.table}")
    elsewhere.forge("ALTER TABLE {} DISABLE TRIGGER accord_register_whole")
    unguarded = health(elsewhere)
    mapped = elsewhere.command("gdpr_datamap", "check")
    pending = elsewhere.command("migrate_all", "--check")

    assert (unguarded["level"], "accord_register_whole" in unguarded["message"]) == ("critical", True)
    assert mapped.returncode == 0, mapped.stdout + mapped.stderr
    assert pending.returncode == 0, pending.stdout + pending.stderr
