"""Fences and tombstones on a real PostgreSQL: who counts as erased, and who waits for whom."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from bson import Binary, Int64, ObjectId
from django.db import connections, transaction
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings

from accord.erased import tombstones
from accord.erased.folding import Fold
from accord.erased.tombstones import (
    SubjectTag,
    filter_erased,
    guard,
    is_erased,
    raise_fence,
    subject_tag,
    subject_tags,
)
from accord.errors import ExitCode, SubjectErased, UsageError
from accord.models import Tombstone
from examples.streaming.batches import write_living
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

KIND = "streaming.listener"
PERSON = uuid.UUID("abcdef01-1234-5678-1234-567812345678")
CANARY = "zoe.quetzal@canary.example"


def in_thread(trail: Trail, act: Callable[[], object]) -> threading.Thread:
    """Do something on a connection of its own."""

    def run() -> None:
        try:
            act()
        finally:
            connections[trail.alias].close()

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def somebody_waits(trail: Trail) -> bool:
    """Tell whether a connection waits for a lock of another."""
    return trail.rows("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") != [(0,)]


def test_fenced_and_erased_people_count_alike(trail: Trail) -> None:
    """From the fence on, and for good once the erasure is complete."""
    tag = subject_tag(KIND, 42)

    assert not is_erased(KIND, 42)
    raise_fence(tag)
    assert is_erased(KIND, 42)
    assert tombstones.mark_erased(tag)
    assert is_erased(KIND, 42)
    assert not is_erased(KIND, 43)
    assert not is_erased("streaming.artist", 42)


@pytest.mark.parametrize("key", [42, "42", uuid.UUID(int=7), ObjectId("5" * 24), CANARY, "é" * 300, "a/b:c"])
def test_keys_of_every_type_are_known(trail: Trail, key: object) -> None:
    """A number, a text, a UUID and an ObjectId, each the same as its text."""
    raise_fence(str(subject_tag(KIND, key)))

    assert filter_erased(KIND, [key, str(key), "another"]) == {key, str(key)}
    assert is_erased("Streaming.Listener", key)


@pytest.mark.parametrize(
    ("erased", "given"),
    [
        (42, [42.0, Int64(42), Decimal(42)]),
        (PERSON, [Binary.from_uuid(PERSON), str(PERSON).upper(), PERSON.hex]),
        (str(PERSON).upper(), [PERSON, str(PERSON)]),
        (ObjectId("5e" * 12), ["5E" * 12]),
    ],
)
def test_key_of_another_form_is_the_same_person(trail: Trail, erased: object, given: list[Any]) -> None:
    """Whatever type a store gives the key back in, the person stays erased."""
    raise_fence(subject_tag(KIND, erased))

    for key in given:
        assert filter_erased(KIND, [key, "another"]) == {key}


@pytest.mark.parametrize("fold", ["case", "email"])
def test_other_spelling_of_a_folded_key_is_the_same_person(trail: Trail, fold: str) -> None:
    """A fence that says how its key is folded is met by every spelling; one of an exact key by that alone."""
    raise_fence(subject_tags(KIND, "Zoé@X.org", Fold(fold))[0])
    raise_fence(subject_tag(KIND, "Exact@X.org"))
    spelled = ["zoe\u0301@x.ORG", "ZOÉ@x.org"]

    with tombstones.sparing(KIND) as erased:
        living = tombstones.spare(
            [{"by": {"mail": one}} for one in (*spelled, "zoe@x.org")], "by.mail", erased
        )

    assert filter_erased(KIND, [*spelled, "zoe@x.org", "exact@x.org", "Exact@X.org"]) == {
        *spelled,
        "Exact@X.org",
    }
    assert living == [{"by": {"mail": "zoe@x.org"}}]
    with pytest.raises(SubjectErased):
        guard(KIND, spelled[0])


def test_tombstone_of_an_older_form_counts(trail: Trail) -> None:
    """A fence that was raised for a text in capitals, before keys had one form, still stands for it."""
    raise_fence(subject_tags(KIND, str(PERSON).upper())[-1])

    assert is_erased(KIND, str(PERSON).upper())


def test_nobodys_keys_are_passed_over(trail: Trail) -> None:
    """Empty keys and truth values belong to nobody, stop no batch, and hide no number."""
    raise_fence(subject_tag(KIND, 1))

    assert filter_erased(KIND, ["", True, False, None, 1]) == {1}
    assert not is_erased(KIND, "")


@pytest.mark.parametrize("key", ["", True, False, None])
def test_key_that_is_none_is_refused(trail: Trail, key: object) -> None:
    """An empty key or a truth value would stand for nobody, or for everybody."""
    with pytest.raises(UsageError):
        subject_tag(KIND, key)


def test_nothing_of_the_person_is_kept(trail: Trail) -> None:
    """The table holds a keyed hash, and no key."""
    raise_fence(subject_tag(f"{KIND}:email", CANARY))

    row = trail.rows("SELECT t::text FROM accord_tombstone t")[0][0]

    assert CANARY not in row
    assert "zoe" not in row


def test_many_keys_take_one_query(trail: Trail) -> None:
    """A batch of a thousand asks once."""
    raise_fence(subject_tag(KIND, 500))

    with CaptureQueriesContext(connections[trail.alias]) as queries:
        found = filter_erased(KIND, [*range(1000), None])

    assert found == {500}
    assert len(queries) == 1


def test_replaced_secret_still_knows_the_erased(trail: Trail, settings: Settings) -> None:
    """Tombstones made under a secret that is kept as a fallback count."""
    raise_fence(subject_tag(KIND, 42))

    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the next one"
    raise_fence(subject_tag(KIND, 43))

    assert filter_erased(KIND, [42, 43, 44]) == {42, 43}


def test_fence_raised_twice_is_one_fence(trail: Trail) -> None:
    """The first time counts; a repeated act changes nothing."""
    tag = subject_tag(KIND, 42)
    raise_fence(tag)
    first = Tombstone.objects.using(trail.alias).get().fenced_at

    raise_fence(tag)

    assert Tombstone.objects.using(trail.alias).get().fenced_at == first


def test_erasure_is_noted_once_and_behind_a_fence_only(trail: Trail) -> None:
    """Noting it again changes nothing; who has no fence is not noted."""
    done = subject_tag(KIND, 2)
    raise_fence(done)

    assert tombstones.mark_erased(done)
    assert not tombstones.mark_erased(done)
    assert not tombstones.mark_erased(subject_tag(KIND, 1))
    assert filter_erased(KIND, [1, 2]) == {2}


def test_fence_goes_with_its_transaction(trail: Trail) -> None:
    """A rollback takes it back."""
    with transaction.atomic(using=trail.alias):
        raise_fence(subject_tag(KIND, 42))
        transaction.set_rollback(True, using=trail.alias)

    assert not is_erased(KIND, 42)


def test_guard_refuses_without_naming_the_person(trail: Trail) -> None:
    """The write is refused with a code, and the key stays out of the message."""
    guard(KIND, CANARY)
    raise_fence(subject_tag(KIND, CANARY))

    with pytest.raises(SubjectErased) as refused:
        guard(KIND, CANARY)

    assert refused.value.exit_code is ExitCode.BLOCKED
    assert CANARY not in f"{refused.value}{refused.value.hint}"


def test_fence_waits_for_guarded_writes(trail: Trail) -> None:
    """Who was let through has committed before the fence stands, so that the erasure sees it."""
    fenced = threading.Event()

    def fence() -> None:
        raise_fence(subject_tag(KIND, 42))
        fenced.set()

    with transaction.atomic(using=trail.alias):
        guard(KIND, 42)
        rival = in_thread(trail, fence)
        while not somebody_waits(trail):
            pass
        assert not fenced.is_set()
    rival.join()

    assert fenced.is_set()
    with pytest.raises(SubjectErased):
        guard(KIND, 42)


def test_guarded_write_waits_for_a_fence_under_way(trail: Trail) -> None:
    """Who comes while a fence goes up is refused once it stands."""
    refused: list[SubjectErased] = []

    def write() -> None:
        try:
            with transaction.atomic(using=trail.alias):
                guard(KIND, 42)
        except SubjectErased as exc:
            refused.append(exc)

    with transaction.atomic(using=trail.alias):
        raise_fence(subject_tag(KIND, 42))
        rival = in_thread(trail, write)
        while not somebody_waits(trail):
            pass
    rival.join()

    assert len(refused) == 1


def test_guarded_writes_do_not_wait_for_each_other(trail: Trail) -> None:
    """Only fences are exclusive."""
    with transaction.atomic(using=trail.alias):
        guard(KIND, 42)
        rival = in_thread(trail, lambda: _guarded(trail))
        rival.join(timeout=30)

        assert not rival.is_alive()


def _guarded(trail: Trail) -> None:
    with transaction.atomic(using=trail.alias):
        guard(KIND, 42)


def test_tag_reads_back_from_its_text() -> None:
    """What a request keeps of its subject is enough to raise the fence."""
    tag = subject_tag("streaming.listener:email", CANARY)

    assert SubjectTag.parse(str(tag)) == tag
    assert CANARY not in str(tag)
    with pytest.raises(UsageError):
        SubjectTag.parse("a/b")


def test_sample_writes_only_the_living(trail: Trail) -> None:
    """The sample's batches leave erased listeners out, and say how many documents were written."""
    raise_fence(subject_tag(KIND, 3))
    written: list[int] = []

    def write(batch: list[dict[str, int]]) -> int:
        written.extend(document["listener_id"] for document in batch)
        return len(batch)

    documents = ({"listener_id": number % 5} for number in range(20))
    changed = write_living(documents, 4, write, subject=(KIND, "listener_id"))

    assert changed == len(written) == 16
    assert set(written) == {0, 1, 2, 4}
