"""The sample's revisions on data: what they fill, and what is left after going back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient

from tests.fix_project import Project
from tests.fix_sample import Sample

pytestmark = [pytest.mark.integration, pytest.mark.by_turns(3)]

SEED = ("streaming_seed", "--noinput", "--tracks", "40", "--venues", "14", "--listeners", "30")
ADMIN = """
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
User.objects.filter(username="reader").delete()
client = Client(SERVER_NAME="localhost")
client.force_login(User.objects.create_superuser("reader"))
for model in site._registry:
    if model._meta.app_label.startswith("streaming"):
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        first = model._default_manager.first()
        for url in (reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[first.pk])):
            print(client.get(url).status_code, url)
"""

BACK = ("migrate_all", "--noinput", "--even-with-data", "--revert", "--to")


@pytest.fixture(scope="module")
def seeded_sample(new_sample: Callable[[], Project], migrated_sample: Sample) -> Sample:
    project = new_sample()
    migrated_sample.copy_to(project)
    project.manage(*SEED)
    return Sample(project=project)


@pytest.fixture
def seeded(project: Project, seeded_sample: Sample) -> Project:
    seeded_sample.copy_to(project)
    return project


def plays(project: Project) -> list[dict[str, Any]]:
    with MongoClient[dict[str, Any]](project.mongodb_url) as client:
        return list(client.get_default_database()["plays"].find().sort("_id"))


def test_models_and_migrations_agree(project: Project) -> None:
    """`makemigrations` finds nothing to write for the sample's apps."""
    project.manage("makemigrations", "--check", "--dry-run", "streaming", "streaming_documents")


@pytest.mark.by_turns(3)
def test_back_to_zero_with_data_and_forward_again_is_clean(seeded: Project) -> None:
    """Data don't keep the revisions from being undone, and the schemas come back as they were."""
    schemas = seeded.postgres_schema(), seeded.search_content()["indexes"].keys()

    seeded.manage(*BACK, "zero")
    seeded.manage("migrate_all")

    assert (seeded.postgres_schema(), seeded.search_content()["indexes"].keys()) == schemas
    assert seeded.rows("SELECT count(*) FROM streaming_listener") == [(0,)]
    assert plays(seeded) == []


def test_popularity_is_what_mongodb_counts(seeded: Project) -> None:
    """The backfill sets each track's number of plays; those nobody played stay at 0."""
    seeded.manage(
        "migrate_all", "--revert", "--to", "default:streaming.0012", "--noinput", "--even-with-data"
    )
    assert seeded.rows("SELECT DISTINCT popularity FROM streaming_track") == [(0,)]

    seeded.manage("migrate_all")

    counted = Counter(play["track_id"] for play in plays(seeded))
    kept = dict(seeded.rows("SELECT id, popularity FROM streaming_track"))
    assert kept == {track: counted[track] for track in kept}
    assert sum(kept.values()) > 0


def test_language_is_guessed_from_the_country(seeded: Project) -> None:
    """Listeners from before the column get the language of their country; the column is required then."""
    before = seeded.rows("SELECT id, language FROM streaming_listener ORDER BY id")
    seeded.manage(
        "migrate_all", "--revert", "--to", "default:streaming.0008", "--noinput", "--even-with-data"
    )

    seeded.manage("migrate_all")

    assert seeded.rows("SELECT id, language FROM streaming_listener ORDER BY id") == before
    required = "SELECT is_nullable FROM information_schema.columns WHERE column_name = 'language'"
    assert ("NO",) in seeded.rows(f"{required} AND table_name = 'streaming_listener'")


def test_source_is_guessed_where_it_is_missing_and_taken_back_there_only(seeded: Project) -> None:
    """The backfill leaves what the service wrote; its undoing leaves it, too."""
    seeded.manage(
        "migrate_all", "--revert", "--to", "mongodb:streaming.0006", "--noinput", "--even-with-data"
    )
    known = plays(seeded)
    old = {"listener_id": 1, "track_id": 1, "played_at": datetime(2021, 1, 1, tzinfo=UTC), "seconds": 9}
    with MongoClient[dict[str, Any]](seeded.mongodb_url) as client:
        collection = client.get_default_database()["plays"]
        collection.insert_many([{"_id": n, **old} for n in range(2500)])
        collection.insert_one({"_id": "listed", **old, "playlist_id": "editorial-fr"})

    seeded.manage("migrate_all")
    guessed = {play["_id"]: play["source"] for play in plays(seeded) if "source_guessed" in play}
    seeded.manage(
        "migrate_all", "--revert", "--to", "mongodb:streaming.0006", "--noinput", "--even-with-data"
    )

    assert Counter(guessed.values()) == {"choice": 2500, "playlist": 1}
    assert guessed["listed"] == "playlist"
    assert [play for play in plays(seeded) if "source" in play] == known


def test_source_is_not_guessed_for_whoever_is_being_erased(seeded: Project) -> None:
    """The backfill leaves out the plays of a person behind a fence, and does everybody else's."""
    seeded.manage(
        "migrate_all", "--revert", "--to", "mongodb:streaming.0006", "--noinput", "--even-with-data"
    )
    old = {"track_id": 1, "played_at": datetime(2021, 1, 1, tzinfo=UTC), "seconds": 9}
    with MongoClient[dict[str, Any]](seeded.mongodb_url) as client:
        client.get_default_database()["plays"].insert_many([{"listener_id": n, **old} for n in (1, 2, 1)])
    fence = "tombstones.raise_fence(tombstones.subject_tag('streaming.listener', 2))"
    seeded.manage("shell", "--no-imports", "-c", f"from accord.erased import tombstones; {fence}")

    seeded.manage("migrate_all")

    without = [play["listener_id"] for play in plays(seeded) if "source" not in play]
    guessed = [play["listener_id"] for play in plays(seeded) if "source_guessed" in play]
    assert (without, guessed) == ([2], [1, 1])


def test_every_admin_page_opens(seeded: Project) -> None:
    """List and form of each model answer 200, those in MongoDB included."""
    printed = seeded.manage("shell", "--no-imports", "-c", ADMIN)

    answers = printed.splitlines()
    assert len(answers) == 18
    assert [line for line in answers if not line.startswith("200 ")] == []
