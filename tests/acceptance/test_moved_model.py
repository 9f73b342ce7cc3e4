"""A model moves to another app of a real project: what Django says of it, and what stays in the database."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.fix_postgres import execute, rows_of
from tests.forks import Finished, run_python

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
STEP = "default:events.0002_move_play"
FILL = """
INSERT INTO streaming_label (name) VALUES ('blue');
INSERT INTO streaming_play (at, label_id) SELECT n, 1 FROM generate_series(1, 3) n;
INSERT INTO streaming_play_labels (play_id, label_id) VALUES (2, 1);
INSERT INTO reviews_liveplay (play_ptr_id, hall) VALUES (2, 'large');
INSERT INTO reviews_review (play_id) VALUES (3);
INSERT INTO reviews_tag (word, object_id, content_type_id)
SELECT 'loud', 2, id FROM django_content_type WHERE (app_label, model) = ('streaming', 'play');
INSERT INTO auth_group (name) VALUES ('first'), ('both');
INSERT INTO auth_group_permissions (group_id, permission_id)
SELECT g.id, p.id FROM auth_group g, auth_permission p JOIN django_content_type c ON c.id = content_type_id
WHERE (app_label, codename) = ('streaming', 'change_play')
"""
# What code of after makes of it before the move: a row of its own, permissions, and words that refer to it.
EARLY = """
INSERT INTO django_content_type (app_label, model) VALUES ('events', 'play');
INSERT INTO auth_permission (name, codename, content_type_id)
SELECT n, n, c.id FROM django_content_type c, (VALUES ('change_play'), ('sing_play')) AS v(n)
WHERE (app_label, model) = ('events', 'play');
INSERT INTO auth_group_permissions (group_id, permission_id)
SELECT g.id, p.id FROM auth_group g, auth_permission p JOIN django_content_type c ON c.id = content_type_id
WHERE (app_label, model, g.name) = ('events', 'play', 'both');
INSERT INTO reviews_tag (word, object_id, content_type_id)
SELECT 'early', 3, id FROM django_content_type WHERE (app_label, model) = ('events', 'play')
"""
TAGS = """SELECT app_label, word, object_id
FROM reviews_tag t JOIN django_content_type c ON c.id = content_type_id ORDER BY word"""
HELD = """SELECT app_label, codename, g.name
FROM auth_group g JOIN auth_group_permissions l ON l.group_id = g.id
JOIN auth_permission p ON p.id = permission_id JOIN django_content_type c ON c.id = content_type_id
ORDER BY 2, 3"""
KINDS = "SELECT id, app_label FROM django_content_type WHERE model = 'play'"
NAMES = """SELECT conname FROM pg_constraint
WHERE conrelid = 'streaming_play'::regclass AND conname ~ 'play_(once|positive)' ORDER BY 1"""


class Site:
    """
    The project, on a database of its own.

    Args:
        url: The database.
    """

    def __init__(self, url: str) -> None:
        self.url = url

    def run(self, *arguments: str, home: str = "events") -> Finished:
        """Run a command with the code of a release."""
        environment = {
            **os.environ,
            "DATABASE_URL": self.url,
            "DJANGO_SETTINGS_MODULE": "tests.projects.moved.settings",
            "PYTHONPATH": str(ROOT),
            "PLAY_HOME": home,
        }
        return run_python(("-m", "django", *arguments), env=environment, cwd=ROOT, timeout=120)

    def manage(self, *arguments: str, home: str = "events") -> str:
        """Run one that must succeed."""
        done = self.run(*arguments, home=home)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def rows(self, query: str) -> Sequence[tuple[Any, ...]]:
        """Ask by the driver alone."""
        return rows_of(self.url, query)


@pytest.fixture
def site(new_database: Callable[[], str]) -> Site:
    """Give the project on an empty database."""
    return Site(new_database())


def test_django_alone_moves_it_there_and_back(site: Site) -> None:
    """Nothing is left to write; the content type keeps its key, and with it all that refers to it."""
    site.manage("migrate", "reviews", "--verbosity", "0", home="streaming")
    site.manage("migrate", "auth", "--verbosity", "0", home="streaming")
    execute(site.url, FILL)
    ((key, _),) = site.rows(KINDS)
    plays, held = site.rows("SELECT * FROM streaming_play ORDER BY id"), site.rows(HELD)

    assert "No changes detected" in site.manage("makemigrations", "--check", "--dry-run")
    sql = site.manage("sqlmigrate", "events", "0002")
    site.manage("migrate", "events", "--verbosity", "0")

    assert "SET app_label = 'events' WHERE app_label = 'streaming' AND model = 'play'" in sql
    assert site.rows(KINDS) == [(key, "events")]
    assert site.rows("SELECT * FROM streaming_play ORDER BY id") == plays
    assert site.rows(TAGS) == [("events", "loud", 2)]
    assert site.rows(HELD) == [("events", *rest) for _, *rest in held]
    assert site.rows(NAMES) == [("events_play_once",), ("events_play_positive",)]
    site.manage("migrate", "events", "0001", "--verbosity", "0", home="streaming")
    assert (site.rows(KINDS), site.rows(HELD)) == ([(key, "streaming")], held)
    assert site.rows(NAMES) == [("streaming_play_once",), ("streaming_play_positive",)]


def test_run_unites_what_code_of_after_made_before_the_move(site: Site) -> None:
    """The move waits for the deploy; whatever the new label got meanwhile goes to the row that stays."""
    waits = site.manage("migrate_all", "--phase", "expand", home="streaming")
    execute(site.url, FILL)
    execute(site.url, EARLY)
    key = min(site.rows(KINDS))[0]

    site.manage("migrate_all", "--phase", "contract")

    assert STEP in waits, waits
    assert site.rows(KINDS) == [(key, "events")]
    assert site.rows(TAGS) == [("events", "early", 3), ("events", "loud", 2)]
    assert site.rows(HELD) == [
        ("events", "change_play", "both"),
        ("events", "change_play", "first"),
        ("events", "sing_play", "both"),
    ]
    assert site.run("migrate_all", "--check-live").returncode == 0
    execute(site.url, "INSERT INTO django_content_type (app_label, model) VALUES ('streaming', 'play')")
    execute(site.url, "DROP INDEX plays_by_time")
    live = site.run("migrate_all", "--check-live")
    assert live.returncode == 6
    told = live.stdout + live.stderr
    assert "The content type streaming.play is still there, or is there again." in told
    assert "plays_by_time" in told
    site.manage("migrate_all", "--revert", "--step", STEP, "--noinput", home="streaming")
    assert site.rows(KINDS) == [(key, "streaming")]
