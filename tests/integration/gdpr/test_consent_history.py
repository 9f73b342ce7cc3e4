"""The history of consents: intact over any connection, read at once, and ended one by one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2
import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import connections
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django.fixtures import Settings

from gdpr.consent import chain, former_channels, register
from gdpr.models import ConsentEvent, ConsentNotice
from gdpr.states import ConsentMethod
from tests.fix_trail import Trail

pytestmark = pytest.mark.integration

WEB: dict[str, Any] = {"method": ConsentMethod.CHECKBOX, "channel": "web"}


@pytest.fixture
def history(trail: Trail, settings: Settings) -> Trail:
    """Give a coordinator with the tables of consent."""
    settings.DATABASE_ROUTERS = [f"{__name__}.Router"]
    trail.with_tables("auth", "gdpr")
    for key in (1, 2, 3, 5):
        get_user_model().objects.create(pk=key, username=str(key))
    return trail


class Router:
    """Sends everything to the coordinator."""

    def db_for_read(self, model: type[Any], **hints: Any) -> str:
        from accord import conf

        return conf.load().coordinator

    db_for_write = db_for_read


def over_zone(history: Trail, zone: str) -> None:
    """Give the connection a time zone of its own, as a database's TIME_ZONE does."""
    connection = connections[history.alias]
    connection.close()
    connection.settings_dict["TIME_ZONE"] = zone
    for cached in ("timezone", "timezone_name"):
        connection.__dict__.pop(cached, None)


def notice(purpose: str = "newsletter") -> ConsentNotice:
    return register.publish_notice(purpose, "1", "en", "May we?")


def consented(count: int = 3) -> register.Someone:
    """Put a person's consents on record, one of them with an end."""
    who = register.someone("auth.User", 5)
    for _ in range(count - 1):
        register.give(who, notice(), **WEB)
    register.give(who, notice(), valid_until=timezone.now() + timedelta(days=200), **WEB)
    return who


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/St_Johns", "Asia/Kathmandu", "UTC"])
def test_history_is_intact_over_any_zone(history: Trail, zone: str) -> None:
    """The hash is of moments, not of how a connection presents them."""
    who = consented()
    over_zone(history, zone)

    assert str(ConsentEvent.objects.filter(subject_tag=who.tag)[0].at.tzinfo) == zone
    assert register.verify_history(who)

    register.withdraw(who, "newsletter", **WEB)
    over_zone(history, "Pacific/Auckland")
    assert register.verify_history(who)


def test_hash_is_of_the_text_that_it_always_was(history: Trail) -> None:
    """An event that was hashed before, over a connection in UTC, verifies: its text stays the same."""
    who = consented()
    [event, *_] = register.history(who)
    event.at = event.at.astimezone(ZoneInfo("Europe/Paris"))

    assert event.at.astimezone(ZoneInfo("UTC")).isoformat().endswith("+00:00")
    assert chain.hash_of(event) == event.hash


def test_end_that_was_hashed_in_the_projects_zone_counts(history: Trail, settings: Settings) -> None:
    """The API hashed ends of consents in the zone of the project; such an event was never tampered with."""
    settings.TIME_ZONE = "Europe/Paris"
    who = consented(1)
    [event] = register.history(who)
    old = chain.hash_of(event, ends_in=ZoneInfo("Europe/Paris"))
    assert old != event.hash
    history.attack(f"UPDATE gdpr_consentevent SET hash = '{old}'")

    assert register.verify_history(who)


@pytest.mark.parametrize(
    "change",
    [
        "at = at + interval '1 microsecond'",
        "at = at + interval '1 hour'",
        "valid_until = valid_until + interval '1 hour'",
        "valid_until = NULL",
        "channel = 'counter'",
    ],
)
def test_changed_event_still_shows(history: Trail, change: str) -> None:
    """A moment that was moved, be it by a zone's width, is no other presentation."""
    who = consented()
    history.attack(f"UPDATE gdpr_consentevent SET {change} WHERE number = 3")

    assert not register.verify_history(who)


def test_history_is_read_with_one_query(history: Trail) -> None:
    """However many events there are."""
    who = consented(5)

    with CaptureQueriesContext(connections[history.alias]) as queries:
        assert register.verify_history(who)

    assert len(queries) == 1


def test_one_consent_that_fails_stops_no_other(history: Trail, caplog: pytest.LogCaptureFixture) -> None:
    """A row that can't be ended is reported, by its reference, and the others are ended."""
    late = timezone.now() + timedelta(days=1)
    people = [register.someone("auth.User", key) for key in (1, 2, 3)]
    given = [register.give(who, notice(), valid_until=late, **WEB) for who in people]
    history.sql(
        f"""CREATE FUNCTION odd() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.type = 'expired' AND NEW.subject_tag = '{people[1].tag}' THEN RAISE 'odd'; END IF;
        RETURN NEW; END $$""",
        "CREATE TRIGGER odd BEFORE INSERT ON gdpr_consentevent FOR EACH ROW EXECUTE FUNCTION odd()",
    )
    failed: dict[str, str] = {}

    assert register.expire_due(late + timedelta(days=1), failed) == 2

    assert list(failed) == [given[1].reference]
    assert given[1].reference in caplog.text
    assert [register.history(who)[-1].type for who in people] == ["expired", "given", "expired"]
    history.sql("DROP TRIGGER odd ON gdpr_consentevent")
    assert register.expire_due(late + timedelta(days=1)) == 1


def test_text_that_was_taken_as_a_channel_goes_and_the_chain_stays(history: Trail) -> None:
    """What may have been an address is replaced once, by a migration; forged chains stay forged."""
    people = [register.someone("auth.User", key) for key in (1, 2, 3)]
    for who in people:
        for _ in range(3):
            register.give(who, notice(), **WEB)
    history.sql("ALTER TABLE gdpr_consentevent DROP CONSTRAINT gdpr_consent_channel_known")
    for who in people[:2]:
        _hash_as_before(history, who, "mail from anna@example.org")
    history.attack(f"UPDATE gdpr_consentevent SET explicit = true WHERE subject_tag = '{people[1].tag}'")
    before = [register.verify_history(who) for who in people]
    untouched = [event.hash for event in register.history(people[2])]

    with connections[history.alias].schema_editor() as editor:
        former_channels.replace(apps, editor)

    assert before == [True, False, True]
    assert [register.verify_history(who) for who in people] == [True, False, True]
    assert [event.channel for event in register.history(people[0])] == ["web", "other", "web"]
    assert not ConsentEvent.objects.filter(channel__contains="@").exists()
    assert [event.hash for event in register.history(people[2])] == untouched
    with pytest.raises(psycopg2.Error):
        history.sql("UPDATE gdpr_consentevent SET channel = 'web'")


def _hash_as_before(history: Trail, who: register.Someone, text: str) -> None:
    """Make the second event of a chain one that an earlier version took with this text as its channel."""
    before = ""
    for event in register.history(who):
        event.channel = text if event.number == 2 else event.channel
        event.previous_hash = before
        before = chain.hash_of(event)
        history.attack(
            f"UPDATE gdpr_consentevent SET channel = '{event.channel}', hash = '{before}',"
            f" previous_hash = '{event.previous_hash}' WHERE id = {event.pk}"
        )
