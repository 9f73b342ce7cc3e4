"""A command that a message names is taken from that very message, where that is raised, and helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_postgres import execute
from tests.fix_workshop import Workshop
from tests.unit.test_hints import FILLED, NAMED, is_placeholder, typed

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600), pytest.mark.by_turns(3)]
Named = tuple[str, tuple[str, ...]]
HALF = """
    class Migration(base.Migration):
        operations = [base.CreateCollection("half"), base.RenameCollection("nothing", "more")]
"""
TWICE = """
    class Migration(base.Migration):
        operations = [base.CreateIndex("plays", [("track", 1)], unique=True)]
"""
PROMISE = """
    class Migration(migrations.Migration):
        dependencies = [("workshop", "0001_first")]
        checks_before = ["SELECT id FROM workshop_one"]
        operations = []
"""
STATEMENT = """
    class Migration(migrations.Migration):
        dependencies = [("workshop", "0001_first")]
        operations = [migrations.RunSQL("SELECT 1", migrations.RunSQL.noop)]
"""


@dataclass(frozen=True, kw_only=True)
class Situation:
    """
    A situation in which a command answers with the name of another one.

    Attributes:
        arrange: Brings it about; the project has one migration, which is applied, and nothing else.
        first: The command that a person types.
        names: What its answer names, as `tests/unit/test_hints.py` finds it in the code.
        gone: Words of its first answer that aren't in it any more afterwards; empty where the named command
            only tells more.
        tells: Words of the named command's answer.
        gaps: What a person fills in.
        code: Exit code of the named command.
    """

    arrange: Callable[[Workshop], object]
    first: tuple[str, ...]
    names: Named
    gone: str = ""
    tells: str = ""
    gaps: Mapping[str, str] = field(default_factory=dict)
    code: int = 0


def second(workshop: Workshop) -> None:
    """Add another migration and apply it."""
    workshop.django("0002_second", "Two", needs="0001_first")
    workshop.answer("migrate_all", "--noinput")


def file_gone(workshop: Workshop) -> None:
    second(workshop)
    (workshop.folder / "workshop" / "migrations" / "0002_second.py").unlink()


def parent_gone(workshop: Workshop) -> None:
    second(workshop)
    for table in ("django_migrations", "accord_ledger"):
        statement = f"DELETE FROM {table} WHERE app = 'workshop' AND name = '0001_first'"
        execute(workshop.variables["DATABASE_URL"], statement)


def half_applied(workshop: Workshop) -> None:
    workshop.write("mongo_migrations/0001_half.py", HALF)
    assert workshop.run("migrate_all", "--noinput").returncode == 1


def half_applied_and_mended(workshop: Workshop) -> None:
    half_applied(workshop)
    workshop.write(
        "mongo_migrations/0001_half.py", HALF.replace('base.RenameCollection("nothing", "more")', "")
    )


def duplicates(workshop: Workshop) -> None:
    workshop.write("mongo_migrations/0001_twice.py", TWICE)
    with MongoClient[dict[str, Any]](workshop.variables["MONGODB_URL"]) as client:
        client.get_default_database()["plays"].insert_many([{"track": 1}, {"track": 1}])


def promise_broken(workshop: Workshop) -> None:
    execute(workshop.variables["DATABASE_URL"], "INSERT INTO workshop_one DEFAULT VALUES")
    workshop.write("migrations/0002_promise.py", PROMISE)


def tagged(workshop: Workshop) -> None:
    workshop.answer("migrate_all", "--tag", "v1", "--noinput")
    second(workshop)


def pending(workshop: Workshop) -> None:
    workshop.django("0002_second", "Two", needs="0001_first")


def statement(workshop: Workshop) -> None:
    workshop.write("migrations/0002_statement.py", STATEMENT)


def nothing(workshop: Workshop) -> None:
    """Leave it as it is."""


SITUATIONS = [
    Situation(
        arrange=file_gone, first=("migrate_all", "--check"), gone="ACC-302", gaps={'"WHY"': "gone"},
        names=("migrate_all", ("--forget", FILLED, "--reason", '"WHY"')),
    ),
    Situation(
        arrange=parent_gone, first=("migrate_all", "--check"), gone="ACC-303",
        names=("migrate_all", ("--baseline", "--to", FILLED)),
    ),
    Situation(
        arrange=statement, first=("migrate_all", "--baseline", "--noinput"), gone="ACC-309",
        names=("migrate_all", ("--baseline", "--step", FILLED)),
    ),
    Situation(
        arrange=pending, first=("migrate_all", "--baseline", "--noinput"), tells="workshop_two is missing",
        names=("migrate_all", ("--baseline", "--plan")),
    ),
    Situation(
        arrange=half_applied, first=("showmigrations_all",), gone="Begun: mongodb",
        names=("migrate_all", ("--revert", "--step", FILLED)),
    ),
    Situation(
        arrange=half_applied_and_mended, first=("health_check",), gone="Half applied",
        names=("migrate_all", ()),
    ),
    Situation(
        arrange=half_applied, first=("health_check",), gone="Half applied",
        gaps={"STEP": "mongodb:workshop.0001_half"}, names=("migrate_all", ("--revert", "--step", "STEP")),
    ),
    Situation(
        arrange=pending, first=("health_check",), gone="1 step pending", names=("migrate_all", ()),
    ),
    Situation(
        arrange=duplicates, first=("migrate_all", "--noinput"), tells="2 documents", code=1,
        names=("migrate_all", ("--dry-run",)),
    ),
    Situation(
        arrange=promise_broken, first=("migrate_all", "--noinput"),
        names=("migrate_all", ("--verify",)),
    ),
    Situation(
        arrange=second, first=("migrate_all", "workshop", "0001", "--noinput"), tells="Nothing to do",
        names=("migrate_all", ("--to", FILLED)),
    ),
    Situation(
        arrange=nothing, first=("showmigrations_all", "--tags"), gone="No tags", gaps={"NAME": "v1"},
        names=("migrate_all", ("--tag", "NAME")),
    ),
    Situation(
        arrange=tagged, first=("migrate_all", "--tag", "v1", "--noinput"), tells="v1",
        names=("showmigrations_all", ("--tags",)),
    ),
    Situation(
        arrange=tagged, first=("migrate_all", "--to-tag", "v1"), tells="Reverted 1 step",
        gaps={"NAME": "v1"}, names=("migrate_all", ("--revert", "--to-tag", "NAME")),
    ),
    Situation(
        arrange=nothing, first=("migrate_all", "--wait", "300"), tells="Nothing to do",
        names=("migrate_all", ("--check", "--wait", "300")),
    ),
    Situation(
        arrange=nothing, first=("migrate_all", "--to", "nosuch"), tells="0001_first",
        names=("showmigrations_all", ()),
    ),
]  # fmt: skip


def called(situation: Situation) -> str:
    return " ".join((situation.arrange.__name__, *situation.first, "->", *situation.names[1]))


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("situation", SITUATIONS, ids=called)
def test_command_of_the_message_helps(workshop: Workshop, situation: Situation) -> None:
    """The first command complains, the one that it names is run word for word, and the complaint is gone."""
    workshop.django("0001_first", "One")
    workshop.answer("migrate_all", "--noinput")
    situation.arrange(workshop)
    complaint = said(workshop, *situation.first)
    assert situation.gone in complaint
    command = next(found(complaint, situation), None)
    assert command, complaint

    done = workshop.run(*command, *(["--noinput"] if command[0] == "migrate_all" else []))

    text = done.stdout + done.stderr
    assert (done.returncode, situation.tells in text) == (situation.code, True), (command, text)
    if situation.gone:
        assert situation.gone not in said(workshop, *situation.first)


def said(workshop: Workshop, *command: str) -> str:
    done = workshop.run(*command)
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def found(complaint: str, situation: Situation) -> Iterator[list[str]]:
    """Find the command that a message names, and fill the gaps that are left to people."""
    command, pattern = situation.names
    for named in NAMED.finditer(complaint):
        words = [word.rstrip(".") for word in named[2].split()][: len(pattern)]
        fits = len(words) == len(pattern) and all(
            word == wanted or (is_placeholder(wanted) and not word.startswith("--"))
            for word, wanted in zip(words, pattern, strict=True)
        )
        if named[1] == command and fits and (pattern or not typed(command, named[2].split())):
            yield [command, *(situation.gaps.get(word, word) for word in words)]
