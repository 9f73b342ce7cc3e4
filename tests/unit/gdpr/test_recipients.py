"""How recipients are declared."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from gdpr.datamap.map import DataMap, build
from gdpr.errors import InvalidDataMap
from gdpr.notices.messages import Message
from gdpr.notices.ways import mail
from gdpr.privacy import Delete, Entry, Key, Recipient, Subject

PEOPLE = Entry(id="people", store="default", target="auth.User", locator=Key("id", int), action=Delete())
GOOD: dict[str, Any] = {"id": "newsletter", "of": ("people",), "webhook": "https://news.example/erased"}


def declared(*recipients: object) -> DataMap:
    module = ModuleType("privacy")
    subject = Subject(model="auth.User", lookups=("email",))
    vars(module).update(DATA_MAP=[PEOPLE], SUBJECT=subject, RECIPIENTS=list(recipients))
    return build([module])


def test_a_mail_names_a_person_by_a_number_as_well() -> None:
    """A recipient may know people by the primary key; no list of a programming language stands there."""
    person = {"key": "id", "values": [6, 7], "salt": "x"}
    document = {"kind": "restriction", "project": "shop", "notice": "n", "person": person}
    message = Message(reference="n", document=document, digest="")
    recipient = Recipient(id="paper", of=("people",), mail="privacy@news.example", language="en")

    written = mail(recipient, message)

    assert "by id: 6, 7" in written.body
    assert written.subject.startswith("Restriction of processing")


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"knows": "email"},
        {"webhook": "http://127.0.0.1:8000/"},
        {"webhook": "http://localhost/"},
        {"webhook": "", "mail": "privacy@news.example"},
    ],
)
def test_a_recipient_is_declared_once_and_can_be_told(changed: dict[str, str]) -> None:
    """By mail, by https, or by http where it is this machine."""
    [found] = declared(Recipient(**{**GOOD, **changed})).recipients

    assert found.id == "newsletter"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id": "News Letter"}, "no name of its own"),
        ({"of": ()}, "got data of no entry"),
        ({"of": ("people", "nothing")}, "entries that there are not: nothing"),
        ({"knows": "phone"}, "knows people by “phone”"),
        ({"webhook": ""}, "can't be told"),
        ({"mail": "privacy@news.example"}, "can't be told"),
        ({"webhook": "http://news.example/erased"}, "can't be told"),
        ({"webhook": "http://127.0.0.1.news.example/"}, "can't be told"),
        ({"webhook": "ftp://news.example/erased"}, "can't be told"),
        ({"webhook": "https://[news"}, "can't be told"),
        ({"webhook": "", "mail": "privacy@news.example", "secret": "S"}, "has a secret"),
    ],
)
def test_a_recipient_that_could_not_be_told_is_no_recipient(changed: dict[str, Any], said: str) -> None:
    """It is refused before anything is erased of which nobody could be told."""
    with pytest.raises(InvalidDataMap, match=said):
        declared(Recipient(**{**GOOD, **changed}))


def test_a_name_is_used_once_and_the_list_holds_recipients() -> None:
    """The same name twice would be one notice for two."""
    with pytest.raises(InvalidDataMap, match="no name of its own"):
        declared(Recipient(**GOOD), Recipient(**GOOD))
    with pytest.raises(InvalidDataMap, match="is no recipient"):
        declared("newsletter")


def test_an_approval_is_of_who_is_told_too() -> None:
    """Another address is another map; a map that tells nobody is what it was before there were recipients."""
    elsewhere = {**GOOD, "webhook": "https://elsewhere.example/"}
    digests = [declared(), declared(Recipient(**GOOD)), declared(Recipient(**elsewhere))]

    assert len({one.digest for one in digests}) == 3


def test_an_address_is_shown_without_what_it_carries() -> None:
    """A token in the path, a password before the host: neither stands on a page."""
    secretive = Recipient(**{**GOOD, "webhook": "https://me:word@news.example/token-1234"})

    assert secretive.place == "news.example"
