"""Restriction of processing (Art. 18): data are kept and not used, and what erases them waits."""

from __future__ import annotations

import json

import pytest

from tests.fix_requests import Erasing
from tests.integration.gdpr.test_admin import CLIENT

pytestmark = pytest.mark.acceptance

LIFE = """
from datetime import timedelta
from accord.errors import AccordError
from examples.streaming.models import Listener
from gdpr.erasure import restrictions
from gdpr.restriction import is_restricted, restricted_among, unrestricted
def code(act):
    try: act()
    except AccordError as exc: return exc.code
    return "done"
who = keys(1)
nobody = get_user_model().objects.get(username="nobody")
forbidden = code(lambda: restrictions.restrict(who, RestrictionReason.CONTESTED, by=nobody))
one = restrictions.restrict(who, RestrictionReason.CONTESTED, by=filer)
same = restrictions.restrict(who, RestrictionReason.CONTESTED, by=filer)
other = restrictions.restrict(who, RestrictionReason.OBJECTION, by=filer)
people = Listener.objects.filter(pk__in=[1, 2, 3])
asked = [is_restricted(Listener.objects.get(pk=1)), is_restricted(Listener.objects.get(pk=2)),
         sorted(restricted_among("streaming.Listener", [1, 2, 3])),
         sorted(unrestricted(people).values_list("pk", flat=True))]
begun = one.restricted_at
early, ahead = begun - timedelta(days=1), begun + timedelta(days=1)
untold = [code(lambda: restrictions.lift(one, told_at=at, by=filer)) for at in (early, ahead)]
restrictions.lift(one, told_at=begun, by=filer)
still = is_restricted(Listener.objects.get(pk=1))
restrictions.lift(other, told_at=other.restricted_at, by=filer)
twice = code(lambda: restrictions.lift(one, told_at=begun, by=filer))
say([forbidden, same.pk == one.pk, asked, untold, still, is_restricted(Listener.objects.get(pk=1)), twice])
"""

WAITS = """
from datetime import timedelta
from accord import clock
from accord.errors import AccordError
from gdpr.erasure import restrictions
def state(one): return ErasureRequest.objects.get(pk=one.pk).state
def restricted(key):
    who = keys(key)
    return restrictions.restrict(who, RestrictionReason.CLAIMS, by=filer)
def code(act):
    try: act()
    except AccordError as exc: return exc.code
    return "done"
before, going = approved(1), begun(2)
stops = [restricted(1), restricted(2)]
refused = [code(lambda: erasure.work(going)), code(lambda: planning.plan(before))]
stopped = [state(before), state(going), *refused]
restricted(3)
after = erasure.work(approved(3)).state
kept = restricted(4)
rule = requests.file_request(
    keys(4), by=filer, channel=Channel.RETENTION, identity=IdentityMethod.STAFF
)
unplanned = [code(lambda: planning.plan(rule)), state(rule), kept.subject_tag in holds.tags_on("plays")]
holds.place_hold(before.subject_kind, before.subject_tag, HoldReason.AUTHORITY, by=filer)
for one in stops: restrictions.lift(one, told_at=one.restricted_at, by=filer)
lifted = [state(before), state(going)]
holds.release_hold(LegalHold.objects.get(), by=approver)
done = erasure.work(ErasureRequest.objects.get(pk=going.pk))
say([stopped, after, unplanned, lifted, state(before), done.state])
"""


def test_who_is_restricted_is_known_until_the_person_was_told(erasing: Erasing) -> None:
    """Each reason counts by itself; nobody lifts one of which the person knows nothing."""
    forbidden, same, asked, untold, still, after, twice = erasing.call(LIFE)

    assert (forbidden, same) == ("ACC-824", True)
    assert asked == [True, False, [1], [2, 3]]
    assert (untold, still, after, twice) == (["ACC-100"] * 2, True, False, "ACC-822")
    events = (
        "SELECT event, count(*) FROM accord_auditevent WHERE event LIKE 'subject.%' GROUP BY 1 ORDER BY 1"
    )
    assert erasing.rows(events) == [("subject.released", 2), ("subject.restricted", 2)]
    assert erasing.command("audit_verify").returncode == 0


def test_only_what_the_person_demands_afterwards_erases(erasing: Erasing) -> None:
    """A demand from before and a rule of retention wait, as for a hold, until the last reason is gone."""
    stopped, after, unplanned, lifted, released, done = erasing.call(WAITS)

    assert stopped == ["blocked_hold", "blocked_hold", "done", "ACC-827"]
    assert after == "completed_with_retention"
    assert unplanned == ["ACC-827", "blocked_hold", True], "no row of theirs lapses either"
    assert lifted == ["blocked_hold", "executing"], "one is held as well"
    assert (released, done) == ("planned", "completed_with_retention")


def test_a_restriction_is_put_on_record_and_lifted_at_the_command_line(erasing: Erasing) -> None:
    """The same verbs as those of holds; the day on which the person was told is asked for."""
    added = erasing.command(
        "gdpr_restrict", "add", "1", "--reason", "18(1)(a)", "--as", "filer", "--noinput", "--format", "json"
    )
    [one] = json.loads(added.stdout)["restrictions"]
    reference = one["restriction"]
    listed = erasing.command("gdpr_restrict", "list")
    untold = erasing.command("gdpr_restrict", "lift", reference, "--as", "filer", "--noinput")
    [(today,)] = erasing.rows("SELECT (now() AT TIME ZONE 'UTC')::date::text")
    lifted = erasing.command(
        "gdpr_restrict", "lift", reference[:8], "--told", today, "--as", "filer", "--noinput"
    )

    assert (added.returncode, one["reason"], one["lifted_at"]) == (0, "18(1)(a)", None)
    assert "accuracy contested (18(1)(a))" in listed.stdout
    assert (untold.returncode, "--told" in untold.stderr) == (2, True)
    assert lifted.returncode == 0, lifted.stderr
    assert "There are no restrictions." in erasing.command("gdpr_restrict", "list").stdout


SHOWN = (
    CLIENT
    + """
from gdpr.erasure import restrictions
def restricted(key):
    who = keys(key)
    return restrictions.restrict(who, RestrictionReason.CONTESTED, by=filer)
before = approved(1)
one, two = restricted(1), restricted(2)
after = planned(2)
def told(request):
    shown = client("approver").get(page("erasurerequest_change", request)).content.decode()
    answer = client("approver").get(f"/api/v1/erasure-requests/{request.reference}/").json()
    return ["waits until that is lifted" in shown, "so it goes on" in shown,
            [line["reason"] for line in answer["plan"]["restricted"]], fresh(request).state]
said = [told(before), told(after)]
restrictions.lift(two, told_at=two.restricted_at, by=filer)
say([before.reference, after.reference, *said, told(after)[:2], str(two.restricted_at.date())])
"""
)


def test_plan_of_a_restricted_person_says_so_and_what_waits(erasing: Erasing) -> None:
    """At the command line, in the admin and over HTTP; the plan keeps what it was made under."""
    before, after, waiting, going, lifted, day = erasing.call(SHOWN)
    dry = erasing.erase("1", "--by", "id", "--dry-run")
    document = json.loads(erasing.erase("1", "--by", "id", "--dry-run", "--format", "json").stdout)
    free = erasing.erase("3", "--by", "id", "--dry-run")
    stopped = erasing.erase("--request", before)
    goes = erasing.erase("--request", after)

    assert waiting == [True, False, [], "blocked_hold"]
    assert going == [False, True, ["18(1)(a)"], "planned"]
    assert lifted == [False, False]
    assert f"restricted since {day} (Art. 18(1)(a))" in dry.stdout
    assert "waits until it is lifted" in dry.stdout
    assert [line["reason"] for line in document["restricted"]] == ["18(1)(a)"]
    assert "restricted" not in free.stdout
    assert "it waits until that is lifted, with gdpr_restrict lift" in stopped.stdout + stopped.stderr
    assert f"restricted since {day}" in goes.stdout, goes.stdout


def test_postgres_keeps_a_restriction_as_it_was(erasing: Erasing) -> None:
    """Nobody changes whom it is about, lifts one of an untold person, or takes one away."""
    erasing.command("gdpr_restrict", "add", "1", "--reason", "18(1)(a)", "--as", "filer", "--noinput")
    for statement in (
        "UPDATE gdpr_restriction SET subject_tag = 'another'",
        "UPDATE gdpr_restriction SET lifted_at = now()",
        "DELETE FROM gdpr_restriction",
    ):
        with pytest.raises(Exception, match=r"stays as it was|told_before_lifted|refused"):
            erasing.execute(statement)
