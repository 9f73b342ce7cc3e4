"""The register at its two places, a file and a table of another database: one table of cases for both."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import psycopg2
import pytest
from django.db import connections, transaction
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import RegisterBroken, RegisterUnavailable
from gdpr.register import seals
from gdpr.register.entries import EntryDraft, EntryWord, RegisterEntry
from gdpr.register.file import RegisterFile
from gdpr.register.place import Register
from gdpr.register.soundness import checked, is_due
from gdpr.register.table import RegisterTable
from tests.fix_postgres import execute, rows_of
from tests.fix_trail import known_to_django
from tests.unit.gdpr.test_register import (
    BEGINNING,
    NOW,
    THREE,
    WORD,
    draft,
    keys_away,
    lose_a_line,
    no_entry,
    other_keys,
    other_reference,
    swap_lines,
)

pytestmark = pytest.mark.integration
Lines = list[bytes]
OFF = "SET session_replication_role = replica"


@dataclass(frozen=True)
class Place:
    """
    A register, and what whoever rules its place can do to it.

    Attributes:
        register: The register.
        raw: Gives its lines, past every service.
        forge: Puts lines in the place of its own, past every guard.
        take_away: Makes the place one that can't be read or written.
    """

    register: Register
    raw: Callable[[], Lines]
    forge: Callable[[Lines], None]
    take_away: Callable[[], None]


def of_file(folder: Path) -> Place:
    file = RegisterFile(folder / "deep" / "register.jsonl")

    def forge(lines: Lines) -> None:
        file.path.write_bytes(b"".join(lines))

    def take_away() -> None:
        file.path.unlink(missing_ok=True)
        file.path.mkdir(parents=True)

    return Place(
        register=file,
        raw=lambda: file.path.read_bytes().splitlines(keepends=True),
        forge=forge,
        take_away=take_away,
    )


def of_table(alias: str, url: str) -> Place:
    register = RegisterTable(alias)
    query = f"SELECT line FROM {register.table} ORDER BY seq"

    def forge(lines: Lines) -> None:
        connection = psycopg2.connect(url)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"{OFF}; DELETE FROM {register.table}")
            for number, line in enumerate(lines, 1):
                values = (number, line.decode().rstrip("\n"))
                cursor.execute(f"INSERT INTO {register.table} VALUES (%s, %s)", values)
        connection.close()

    return Place(
        register=register,
        raw=lambda: [
            line.encode() + b"\n" for (line,) in rows_of(url, query)
        ],
        forge=forge,
        take_away=lambda: execute(url, f"ALTER ROLE CURRENT_USER IN DATABASE {urlsplit(url).path[1:]} "
                                  "SET default_transaction_read_only = on"),
    )  # fmt: skip


@pytest.fixture
def database(
    new_database: Callable[[], str], django_db_blocker: DjangoDbBlocker
) -> Iterator[tuple[str, str]]:
    """Give the alias and the address of a database for a register."""
    url = new_database()
    alias = urlsplit(url).path[1:]
    with django_db_blocker.unblock(), known_to_django(alias, url):
        yield alias, url


@pytest.fixture(params=["file", "table"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Give a place where there is no register yet."""
    if request.param == "file":
        return of_file(tmp_path)
    return of_table(*request.getfixturevalue("database"))


@pytest.fixture
def kept(place: Place) -> Place:
    """Give a place with three erasures."""
    assert len(place.register.append([draft(1), draft(2), draft(3)], beginning=BEGINNING)) == 3
    return place


def words(register: Register) -> list[tuple[int, str, str]]:
    return [(one.seq, str(one.draft.word), one.draft.request.lstrip("0")) for one in register.entries()]


def test_where_nothing_was_entered_nothing_is_read(place: Place) -> None:
    """No table and no file are made by looking."""
    register = place.register

    assert (register.first(), register.last(), list(register.newest()), register.since(1)) == (
        None,
        None,
        [],
        [],
    )
    assert (register.exists(), register.obstacle(), register.unguarded(), register.note()) == (
        False,
        "",
        "",
        "",
    )
    assert register.set_aside() == ""
    assert (checked(register).done, register.destroy_secrets(lambda _: True), register.exists()) == (
        0,
        0,
        False,
    )


def test_entries_are_read_as_they_were_written(kept: Place) -> None:
    """In both directions, from a number on, with the keys, which nobody reads in the place itself."""
    register = kept.register
    long = SubjectKeys(kind="shop.Customer", primary=4, collected={"orders": tuple(range(50_000))})
    register.append(
        [EntryDraft(word=EntryWord.DONE, at=NOW, secrets=seals.sealed("t", long))], beginning=BEGINNING
    )
    register.append([draft(number) for number in range(6, 40)], beginning=BEGINNING)

    assert words(register)[:4] == THREE
    assert [one.seq for one in register.entries()] == list(range(1, 40))
    assert [one.seq for one in register.newest()] == list(range(39, 0, -1))
    assert [one.seq for one in register.since(38)] == [38, 39]
    third = list(register.entries())[3].draft.secrets
    assert third is not None
    assert seals.opened(third).alternates == {"email": f"{WORD}3@example.com"}
    assert WORD.encode() not in b"".join(kept.raw())
    assert (checked(register).done, register.obstacle(), register.unguarded()) == (38, "", "")


@pytest.mark.parametrize(
    "change", [lose_a_line, swap_lines, other_reference, other_keys, keys_away, no_entry]
)
def test_change_is_found_with_and_without_a_check_before(
    kept: Place, change: Callable[[Lines], Lines]
) -> None:
    """A line that is gone, moved or edited; keys exchanged, or taken away before their time."""
    checked(kept.register, worth=1)
    assert kept.register.note()
    kept.forge(change(kept.raw()))

    for _ in range(2):
        with pytest.raises(RegisterBroken, match="was changed"):
            checked(kept.register)
        kept.register.leave_note("nothing of ours")


def test_entries_of_another_key_are_continued_by_nobody(place: Place) -> None:
    """A chain that fits, signed by another key: not read, and nothing is written behind it."""
    register = place.register
    with override_settings(SECRET_KEY="another" * 10):
        register.append([draft(1)], beginning=BEGINNING)
    before = place.raw()

    for act in (
        lambda: register.since(1),
        lambda: checked(register),
        lambda: register.append([draft(5)], beginning=BEGINNING),
    ):
        with pytest.raises(RegisterBroken, match="no signature of this project"):
            act()
    assert place.raw() == before


def test_secrets_are_destroyed_when_they_are_due(place: Place) -> None:
    """Nothing of tag or keys is there any more; whoever isn't due keeps theirs; the chain goes on."""
    register = place.register
    register.append([draft(1, days=1), draft(2)], beginning=BEGINNING)
    gone, left = (one.draft.secrets for one in list(register.entries())[1:])
    checked(register, worth=1)
    assert gone is not None
    assert left is not None

    def due(entry: RegisterEntry) -> bool:
        return is_due(entry, NOW + timedelta(days=2))

    assert [register.destroy_secrets(due), register.destroy_secrets(due)] == [1, 0]
    text = b"".join(place.raw()).decode()
    assert not any(part in text for part in (gone.tag, gone.keys, gone.salt))
    assert left.keys in text
    register.append([draft(3)], beginning=BEGINNING)
    assert words(register) == THREE
    assert (checked(register).done, checked(register).kept) == (3, 2)


def test_writers_at_once_make_one_chain(place: Place) -> None:
    """One after the other writes, also the first entry of all, and while secrets are destroyed."""
    register = place.register

    def write(number: int) -> None:
        register.append([draft(number), draft(number)], beginning=BEGINNING)
        register.destroy_secrets(lambda entry: entry.draft.request == f"{number:032x}")

    with ThreadPoolExecutor(max_workers=6) as pool:
        list(pool.map(write, range(1, 13)))

    entries = list(register.entries())
    assert [one.seq for one in entries] == list(range(1, 26))
    assert [one.draft.word for one in entries].count(EntryWord.BEGUN) == 1
    assert [one.draft.secrets for one in entries] == [None] * 25
    assert len(register.since(1)) == 25


def test_register_is_set_aside_and_begun_anew(kept: Place) -> None:
    """What was there keeps its entries under another name, and the place is free."""
    aside = kept.register.set_aside("a" * 32)

    assert "a" * 32 in aside
    assert not kept.register.exists()
    kept.register.append([draft(9)], beginning=BEGINNING)
    assert words(kept.register) == [(1, "begun", ""), (2, "done", "9")]
    assert kept.register.set_aside() not in ("", aside)


def test_place_that_can_not_be_written_is_told(place: Place) -> None:
    """An error with the setting's name; what is asked before says it, too, and nothing is written."""
    place.take_away()

    with pytest.raises(RegisterUnavailable) as raised:
        place.register.append([draft()], beginning=BEGINNING)

    assert "ERASURE_REGISTER" in raised.value.hint
    assert place.register.obstacle()
    place.register.leave_note("which nobody can leave")


# --- the table alone -------------------------------------------------------------------------------------


def test_table_is_only_ever_added_to(database: tuple[str, str]) -> None:
    """PostgreSQL refuses whatever isn't the destruction of secrets; what is taken away of it is named."""
    alias, url = database
    register = RegisterTable(alias)
    register.append([draft(1), draft(2)], beginning=BEGINNING)

    for statement in (
        "DELETE FROM {}",
        "TRUNCATE {}",
        "UPDATE {} SET seq = 9 WHERE seq = 3",
        """UPDATE {} SET line = replace(line, '"done"', '"told"')""",
        "UPDATE {} SET line = (line::jsonb - 'secrets' - 'facts')::text",
    ):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            execute(url, statement.format(register.table))
    execute(url, f"ALTER TABLE {register.table} DISABLE TRIGGER accord_register_rows")
    execute(url, f"DROP TRIGGER accord_register_whole ON {register.table}")
    named = register.unguarded()
    register.append([draft(3)], beginning=BEGINNING)

    assert named == "accord_register_rows, accord_register_whole"
    assert register.unguarded() == ""
    assert words(register) == THREE


def test_what_a_caller_takes_back_stays_entered(database: tuple[str, str]) -> None:
    """Written on a connection of its own: a transaction around it, on that very alias, undoes nothing."""
    alias, _ = database
    register = RegisterTable(alias)
    with transaction.atomic(using=alias):
        register.append([draft(1)], beginning=BEGINNING)
        transaction.set_rollback(True, using=alias)

    assert [one.seq for one in register.entries()] == [1, 2]
    assert not connections[alias].in_atomic_block


DIES = """
import os, signal, sys
import django
from django.conf import settings
import environ
settings.configure(SECRET_KEY="x" * 50,
    DATABASES={"default": {}, "register": environ.Env.db_url_config(sys.argv[1])},
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "accord", "gdpr"])
django.setup()
from gdpr.register.table import RegisterTable
from tests.unit.gdpr.test_register import BEGINNING, draft
class Dying(RegisterTable):
    def following(self, *given):
        found = super().following(*given)
        if sys.argv[2] == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        return found
Dying("register").append([draft(1)], beginning=BEGINNING)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("when", "seqs"), [("before", [1, 2]), ("after", [1, 2, 3])])
def test_writer_that_was_killed_leaves_all_or_nothing(
    database: tuple[str, str], when: str, seqs: list[int]
) -> None:
    """Before the commit nothing is there, and nobody waits for its lock; after it everything is."""
    alias, url = database
    root = str(Path(__file__).resolve().parents[3])
    done = subprocess.run(
        [sys.executable, "-c", DIES, url, when], check=False, cwd=root, env={**os.environ, "PYTHONPATH": root}
    )
    assert done.returncode == -signal.SIGKILL

    with override_settings(SECRET_KEY="x" * 50):
        RegisterTable(alias).append([draft(2)], beginning=BEGINNING)
        assert [one.seq for one in RegisterTable(alias).since(1)] == seqs


def test_name_of_a_table_is_no_sql() -> None:
    """The name comes from us alone, and is held to that."""
    with pytest.raises(ValueError, match="x; DROP"):
        RegisterTable("default", "x; DROP TABLE y")
