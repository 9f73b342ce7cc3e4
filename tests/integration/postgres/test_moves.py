"""A model that moves to another app, with its table's name or without, killed, refused, undone."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import NotSupportedError, connections
from django.db.models import Model
from pytest_django.fixtures import Settings

from accord.errors import AccordError, StepFailed
from accord.events import silent
from accord.seam.rewriting import Extent, Rewriting
from accord.seam.types import Direction, Lease, Presence, Step, StepKey
from tests.chance import chance
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.rewriting import Killed, Live

pytestmark = pytest.mark.integration

FIRST = """from django.db import migrations, models


class Migration(migrations.Migration):
    operations = [
        migrations.CreateModel(
            "Play",
            fields=[
                ("id", models.BigAutoField(primary_key=True)),
                ("at", models.IntegerField(db_index=True)),
                ("after", models.ForeignKey("self", models.CASCADE, null=True)),
                ("alike", models.ManyToManyField("self")),
            ],
            options={
                "indexes": [models.Index(fields=["-at"], name="APP_by_time")],
                "constraints": [
                    models.CheckConstraint(condition=models.Q(at__gte=0), name="APP_positive"),
                    models.UniqueConstraint(fields=["at"], name="APP_once"),
                    models.UniqueConstraint(fields=["at"], condition=models.Q(at=1), name="APP_first"),
                ],
            },
        ),
    ]
"""
MOVE = """from django.db import migrations, models
from migrator.operations import MoveModel


class Migration(migrations.Migration):
    atomic = ATOMIC
    dependencies = [("OLD", "0001_first")]
    operations = [MoveModel("Play", from_app="OLD"WORDS)MORE]
"""
MORE = """,
        migrations.AddField("play", "hall", models.TextField(null=True)),
        migrations.AddIndex("play", models.Index(fields=["hall"], name="APP_hall")),
"""
NAMED = ("by_time", "positive", "once", "first")
RENAMED = f', rename_table=True, names={{f"OLD_{{one}}": f"APP_{{one}}" for one in {NAMED}}}'
NAMES = """
SELECT relkind, relname FROM pg_class WHERE relname ~ '^music_' AND relkind IN ('r', 'S') UNION ALL
SELECT contype, conname FROM pg_constraint WHERE conname ~ '_(positive|once|first)$' UNION ALL
SELECT 'i', relname FROM pg_class WHERE relkind = 'i' AND relname ~ '_(by_time|once|first)$' ORDER BY 1, 2
"""
KINDS = "SELECT id, app_label FROM django_content_type WHERE model = 'play' ORDER BY 1"


class Moving:
    """
    Two apps on one database, of which the second takes the first one's model.

    Args:
        home: The first, and the database.
        away: The second.
    """

    def __init__(self, home: RelationalHarness, away: RelationalHarness) -> None:
        self.live, self.home, self.away = Live(home), home, away
        for name in away.step_names:
            away.remove(name)
        home.write_revision("0001_first", FIRST)
        self.live.do("apply", "0001_first")
        call_command("migrate", "contenttypes", database=home.alias, verbosity=0)
        home.execute(f"INSERT INTO {home.app}_play (at) SELECT n FROM generate_series(1, 9) n")
        self.make_kind(home.app)

    def write(self, words: str = "", *, atomic: bool = True, more: str = "") -> None:
        """Write the move."""
        text = MOVE.replace("ATOMIC", str(atomic)).replace("WORDS", words).replace("MORE", more)
        self.away.write_revision("0001_move", text.replace("OLD", self.home.app))

    def make_kind(self, app: str) -> None:
        """Make a content type, as code does that asks for one."""
        self.home.execute(f"INSERT INTO django_content_type (app_label, model) VALUES ('{app}', 'play')")

    @property
    def step(self) -> Step:
        """The move."""
        key = StepKey(self.home.alias, self.away.app, "0001_move")
        return next(step for step in self.home.store().steps() if step.key == key)

    def do(self, action: str, extent: Extent = Extent.OFF) -> None:
        """Apply or revert it as another process would."""
        lease = Lease(scope="test", owner="me", run_id="run", fence=int(time.time() * 1_000_000))
        store = self.home.store()
        store.settle(Rewriting(extent=extent))
        getattr(store, action)(self.step, lease, silent)

    def presence(self) -> Presence:
        """Look whether its effect is there."""
        (found,) = self.home.store().probe([self.step])
        return found.presence

    def stands(self) -> Sequence[tuple[Any, ...]]:
        """Return the names of what stands, and the content types; apps are called home and away."""
        names = (("home", self.home.app), ("away", self.away.app))
        rows = [*self.home._query(NAMES), *self.home._query(KINDS)]
        return [tuple(_said(each, names) for each in row) for row in rows]


def _said(value: Any, names: Sequence[tuple[str, str]]) -> Any:
    for word, app in names:
        value = value.replace(app, word) if isinstance(value, str) else value
    return value


@pytest.fixture
def moving(relational_harness: RelationalHarness, tmp_path: Path) -> Iterator[Moving]:
    """Give the two apps."""
    away = RelationalHarness(tmp_path / "away", relational_harness.url)
    yield Moving(relational_harness, away)
    away.close()


@pytest.mark.parametrize("words", ["", RENAMED], ids=["kept", "renamed"])
@pytest.mark.by_turns(3)
def test_killed_before_any_statement_it_has_not_begun(moving: Moving, words: str) -> None:
    """There and back; each time all of it stands, or nothing."""
    moving.write(words)
    before = moving.stands()
    _dies_everywhere(moving, "apply", before)
    after = moving.stands()
    assert moving.presence() is Presence.DONE
    _dies_everywhere(moving, "revert", after)

    assert moving.stands() == before
    assert "away" in str(after)
    assert (str(after).count("away") == 1) is (not words)
    assert ("home" in str(after)) is (not words)


def _dies_everywhere(moving: Moving, action: str, before: Any) -> None:
    for moment in range(200):
        with moving.live.listening(moment):
            try:
                moving.do(action)
            except Killed:
                connections[moving.home.alias].close()
                assert moving.stands() == before
            else:
                return
    pytest.fail("it never came to its end")


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("atomic", [True, False], ids=["in parts", "not atomic"])
@pytest.mark.parametrize("words", ["", RENAMED], ids=["kept", "renamed"])
def test_what_follows_in_the_same_file_is_taken_up(moving: Moving, words: str, atomic: bool) -> None:
    """The move is a substep of its own: killed before any statement, it is done once, there and back."""
    moving.write(words, atomic=atomic, more=MORE)
    extent = Extent.EVERY if atomic else Extent.OFF
    before = moving.stands()
    dice, sent = chance(f"{words} {atomic}"), list[str]()
    for action in ("apply", "revert"):
        moment = dice.randrange(1, 6)
        while not _comes_through(moving, action, moment, extent):
            sent += moving.live.sent
            moment += dice.randrange(1, 6)
        sent += moving.live.sent
        if action == "apply":
            table = f"{moving.away.app if words else moving.home.app}_play"
            assert moving.home._query(f"SELECT count(*), count(hall) FROM {table}") == [(9, 0)]

    assert moving.stands() == before
    assert any(text.startswith("CREATE INDEX CONCURRENTLY") for text in sent) is atomic


def _comes_through(moving: Moving, action: str, moment: int, extent: Extent) -> bool:
    with moving.live.listening(moment):
        try:
            moving.do(action, extent)
        except Killed:
            connections[moving.home.alias].close()
            moving.away.files_changed()
            return False
    return True


def test_what_is_shown_is_what_is_sent(moving: Moving) -> None:
    """The sequences of a table that is renamed, too, which only the server knows."""
    moving.write(RENAMED)
    ((_, shown),) = moving.home.store().explain([moving.step], Direction.APPLY)
    texts = {each.text.strip().rstrip(";") for each in shown}
    with moving.live.listening():
        moving.do("apply")

    sent = {text for text in moving.live.sent if text.startswith("ALTER ")}
    assert sent <= texts
    assert any(text.startswith("ALTER SEQUENCE") for text in sent)


def test_presence_is_told_from_the_content_type(moving: Moving) -> None:
    """A table that keeps its name proves nothing: what was not moved is not taken for it."""
    moving.write()
    assert moving.presence() is not Presence.DONE

    moving.do("apply")
    (found,) = moving.home.store().probe([moving.step])
    assert (found.presence, found.unproved) == (Presence.DONE, ())

    moving.make_kind(moving.home.app)
    assert moving.presence() is not Presence.DONE


def test_table_that_lacks_what_came_before_the_move_is_found(moving: Moving) -> None:
    """Fields and indexes belong to the step that brought them, whatever the model's app is now."""
    moving.write(RENAMED)
    moving.do("apply")
    first = moving.home.step("0001_first")
    assert [one.presence for one in moving.home.store().probe([first, moving.step])] == [Presence.DONE] * 2

    moving.home.execute(f"ALTER TABLE {moving.away.app}_play DROP COLUMN after_id")

    found = list(moving.home.store().probe([first, moving.step]))
    assert found[0].presence is not Presence.DONE
    assert "after" in str(found[0].findings)


def test_rows_that_refer_to_both_are_named(moving: Moving) -> None:
    """What can't be united refuses the move, and nothing of it stands."""
    moving.write()
    moving.make_kind(moving.away.app)
    moving.home.execute(
        "CREATE TABLE badge (id bigint PRIMARY KEY, kind integer UNIQUE REFERENCES django_content_type)"
    )
    moving.home.execute("INSERT INTO badge SELECT id, id FROM django_content_type WHERE model = 'play'")
    before = moving.stands()

    with pytest.raises(StepFailed, match=r"rows of badge refer to it") as refused:
        moving.do("apply")

    assert "(kind is " in refused.value.hint
    assert moving.stands() == before
    moving.home.execute(
        "DELETE FROM badge WHERE kind = (SELECT id FROM django_content_type "
        f"WHERE (app_label, model) = ('{moving.away.app}', 'play'))"
    )
    moving.do("apply")
    assert [app for kind, app in moving.stands()[-1:]] == ["away"]


def test_rows_of_other_schemas_and_partitions_follow(moving: Moving) -> None:
    """Whatever has a foreign key to content types, wherever it lies and whoever made it."""
    moving.write()
    moving.make_kind(moving.away.app)
    moving.home.execute(
        'CREATE SCHEMA "Other"; CREATE TABLE "Other"."Log" ("Kind" integer REFERENCES django_content_type); '
        "CREATE TABLE part (kind integer REFERENCES django_content_type) PARTITION BY RANGE (kind); "
        "CREATE TABLE part_all PARTITION OF part FOR VALUES FROM (0) TO (100000)"
    )
    for table in ('"Other"."Log"', "part"):
        moving.home.execute(f"INSERT INTO {table} SELECT id FROM django_content_type WHERE model = 'play'")

    moving.do("apply")

    ((key, _),) = moving.home._query(KINDS)
    assert moving.home._query('SELECT DISTINCT "Kind" FROM "Other"."Log"') == [(key,)]
    assert moving.home._query("SELECT DISTINCT kind FROM part") == [(key,)]


def test_databases_of_both_apps_differ(moving: Moving, settings: Settings) -> None:
    """Rows don't go from one database to another by a name."""
    moving.write()

    class Apart:
        """Keeps the new model out."""

        def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: object) -> bool:
            """Say so."""
            return (app_label, model_name) != (moving.away.app, "play")

    settings.DATABASE_ROUTERS = [Apart()]
    with pytest.raises((AccordError, NotSupportedError), match="rows would have to go from one database"):
        moving.do("apply")

    settings.DATABASE_ROUTERS = [Elsewhere()]
    moving.do("apply")
    assert moving.stands()[-1][1] == "home"


class Elsewhere:
    """Keeps models, and the table of content types, in another database."""

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: object) -> bool:
        """Say so."""
        return model_name not in ("play", "contenttype")


class KindsApart(Elsewhere):
    """
    Keeps content types in another database than models.

    Args:
        alias: That database.
    """

    def __init__(self, alias: str) -> None:
        self.alias = alias

    def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: object) -> bool:
        """Say so."""
        return (app_label == "contenttypes") is (db == self.alias)

    def db_for_write(self, model: type[Model], **_: object) -> str | None:
        """Say where they are."""
        return self.alias if model._meta.app_label == "contenttypes" else None


@pytest.fixture
def kinds(new_database: Callable[[], str], tmp_path: Path) -> Iterator[RelationalHarness]:
    """Give a database for content types alone."""
    found = RelationalHarness(tmp_path / "kinds", new_database())
    call_command("migrate", "contenttypes", database=found.alias, verbosity=0)
    yield found
    found.close()


def test_content_types_of_another_database_follow(
    moving: Moving, kinds: RelationalHarness, settings: Settings
) -> None:
    """In a transaction of their own, so that a kill behind it leaves them done, and they are done once."""
    moving.write()
    kinds.execute(f"INSERT INTO django_content_type (app_label, model) VALUES ('{moving.home.app}', 'play')")
    settings.DATABASE_ROUTERS = [KindsApart(kinds.alias)]
    here = moving.stands()
    assert moving.presence() is not Presence.DONE

    for moment in range(200):
        with moving.live.listening(moment):
            try:
                moving.do("apply")
            except Killed:
                connections[moving.home.alias].close()
            else:
                break

    assert [app for _, app in kinds._query(KINDS)] == [moving.away.app]
    assert moving.stands() == here
    assert moving.presence() is Presence.DONE
    moving.do("revert")
    assert [app for _, app in kinds._query(KINDS)] == [moving.home.app]


def test_losses_of_a_revert_are_none(moving: Moving) -> None:
    """Going back takes nothing away."""
    moving.write(RENAMED)
    moving.do("apply")

    assert list(moving.home.store().losses([moving.step], Direction.REVERT)) == []
