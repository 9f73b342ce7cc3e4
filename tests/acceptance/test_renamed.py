"""An address that is changed while a request waits: the person goes under both, somebody else under none."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

PEOPLE = """
from examples.streaming.models import Listener
users = get_user_model().objects
def file(key):
    return requests.file_request(keys(key), by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF)
def allow(request):
    plan = planning.plan(request)
    approvals.approve(request, by=approver, digest=plan.digest)
    return ErasureRequest.objects.get(pk=request.pk)
def rename(key, email): Listener.objects.filter(pk=key).update(email=email)
rename(11, "old@example.com")
account, second = users.create_user("old@example.com"), users.create_user("OLD@example.com")
"""
BEFORE_THE_PLAN = """
request = file(11)
rename(11, "new@example.com")
users.filter(pk=account.pk).update(username="new@example.com")
request = erasure.work(allow(request))
"""
AFTER_THE_APPROVAL = """
request = allow(file(11))
rename(11, "new@example.com")
users.filter(pk=account.pk).update(username="new@example.com")
request = erasure.work(request)
"""
TWICE = """
request = file(11)
rename(11, "between@example.com")
users.filter(pk=account.pk).update(username="between@example.com")
request = allow(request)
rename(11, "new@example.com")
request = erasure.work(request)
"""
SAY = "say([request.reference, request.state, account.pk, second.pk])"
TAKEN = """
request = file(11)
rename(11, "new@example.com")
users.filter(pk=account.pk).update(username="new@example.com")
users.filter(pk=second.pk).delete()
rename(12, "old@example.com")
second = users.create_user("old@example.com")
counted = planning.preview(planning.renewed({0: encryption.keys_of(request)})[0])
request = erasure.work(allow(request))
"""


def there(erasing: Erasing, *accounts: int) -> list[int]:
    """Return those of some accounts that are there."""
    among = ", ".join(map(str, accounts))
    return [key for (key,) in erasing.rows(f"SELECT id FROM auth_user WHERE id IN ({among}) ORDER BY id")]


@pytest.mark.parametrize(
    "meanwhile", [BEFORE_THE_PLAN, AFTER_THE_APPROVAL, TWICE], ids=["plan", "approval", "twice"]
)
def test_person_goes_under_every_address(erasing: Erasing, meanwhile: str) -> None:
    """The account of the new address goes, and the one that still has the old one."""
    _, state, *accounts = erasing.call(PEOPLE + meanwhile + SAY)

    assert state == "completed_with_retention"
    assert there(erasing, *accounts) == []
    erasing.assert_gone(11)


def test_address_that_somebody_else_has_now_is_a_question(erasing: Erasing) -> None:
    """Whoever took the old address keeps their account; what is under the new one is erased."""
    reference, state, account, other = erasing.call(PEOPLE + TAKEN + SAY)
    stands = there(erasing, account, other)
    told = erasing.erase("--request", reference, "--another-person", "django-users", "--as", "filer")
    done = erasing.erase("--request", reference)

    assert (state, stands) == ("needs_operator", [other])
    assert (told.returncode, done.returncode) == (0, 0), told.stderr + done.stderr
    assert there(erasing, account, other) == [other]
    assert erasing.state(reference) == "completed_with_retention"
    assert erasing.holdings(12)["listener"] == 1


def test_rows_under_a_taken_address_are_erased_when_a_person_says_so(erasing: Erasing) -> None:
    """“The same person” counts for a value that somebody else has, too."""
    reference, _, _, other = erasing.call(PEOPLE + TAKEN + SAY)

    told = erasing.erase("--request", reference, "--same-person", "django-users", "--as", "filer")
    done = erasing.erase("--request", reference)

    assert (told.returncode, done.returncode) == (0, 0), told.stderr + done.stderr
    assert there(erasing, other) == []


REMEMBERED = """
from dataclasses import replace
from auditlog.models import LogEntry
from django.contrib.contenttypes.models import ContentType
import gdpr.datamap.map as maps
from gdpr.privacy import Audited, History
from examples.streaming.models import Consent
rename(11, "new@example.com")
users.filter(pk=second.pk).update(username="First@example.com")
third = users.create_user("third@example.com")
LogEntry.objects.create(
    content_type=ContentType.objects.get_for_model(Listener), object_pk="11", object_id=11, object_repr="",
    action=LogEntry.Action.UPDATE, changes={{"email": ["None", "first@example.com"]}},
)
Consent.objects.filter(listener_id=11).delete()
Consent.objects.create(listener_id=11, purpose="third@example.com", given=True)
sources = {{
    "log": Audited("streaming.Listener", "email"),
    "table": History("streaming.Consent", "purpose", key="listener_id"),
    "function": lambda primary: ["old@example.com", None, ""] if primary == 11 else ["filer"],
}}
known = load_data_map()
subject = replace(known.subject, earlier={{"email": sources["{source}"]}})
keys = replace(known, subject=subject).resolve("11", "id")
planned = planning.preview(keys)
lines = {{line["entry"]: line["found"] for line in planned["entries"]}}
say([keys.values("email"), lines["django-users"]])
"""


@pytest.mark.parametrize(("source", "address"), [("log", "first"), ("table", "third"), ("function", "old")])
def test_addresses_of_before_the_request_are_found_where_the_project_keeps_them(
    erasing: Erasing, source: str, address: str
) -> None:
    """By auditlog, by a table of versions and by a function: the account of that time is found."""
    values, accounts = erasing.call(PEOPLE + REMEMBERED.format(source=source))

    assert (values, accounts) == (["new@example.com", f"{address}@example.com"], 1)
