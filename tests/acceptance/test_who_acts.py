"""Who acts on the command line: the account of the system's user, or one whose password is given."""

from __future__ import annotations

import json
import time
from pathlib import Path

import psycopg2
import pytest

from accord.acting import signed_in
from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance

OPERATOR = signed_in()
"""The account of whoever runs the tests; it files and carries out."""
REFUSED = """
SELECT who.key, event.object_kind, event.object_ref, what.key
FROM accord_auditevent AS event
LEFT JOIN accord_actorreference AS who ON who.ref = event.actor_ref
LEFT JOIN accord_actorreference AS what ON what.ref = event.object_ref
WHERE event.event = 'access.denied' AND event.outcome = 'refused' ORDER BY event.seq
"""
BEGUN = """
SELECT DISTINCT coalesce(who.key, event.actor_kind) FROM accord_auditevent AS event
LEFT JOIN accord_actorreference AS who ON who.ref = event.actor_ref
WHERE event.request_ref = '{reference}' AND event.seq >= (
    SELECT min(seq) FROM accord_auditevent WHERE request_ref = '{reference}' AND event = 'erasure.fenced')
"""
EXPORTS = """
SELECT who.key FROM accord_auditevent AS event JOIN accord_actorreference AS who ON who.ref = event.actor_ref
WHERE event.event = 'export.made'
"""
CHAIN_LOCK = 0x6163636F72640A
WITHOUT_A_PLAN = (
    "requests.file_request(keys({key}), by=filer, channel=Channel.COMMAND, identity=IdentityMethod.STAFF)"
)


def key_of(erasing: Erasing, name: str) -> str:
    """Give the key of an account, as the audit trail's references have it."""
    [(key,)] = erasing.rows(f"SELECT id FROM auth_user WHERE username = '{name}'")
    return str(key)


def test_variable_of_the_shell_makes_nobody_another_person(erasing: Erasing) -> None:
    """LOGNAME names the second person; the command looks at the user id, whose account may not approve."""
    reference = erasing.reference("planned(2)")

    done = erasing.command(
        *("gdpr_erase", "--request", reference, "--approve", "--noinput"),
        ACCORD_PASSWORD="",
        LOGNAME="approver",
        USER="approver",
        LNAME="approver",
        USERNAME="approver",
    )

    assert done.returncode == 4, done.stdout + done.stderr
    assert "ACC-824" in done.stderr
    assert erasing.state(reference) == "planned"
    assert erasing.rows(REFUSED) == [(key_of(erasing, OPERATOR), "erasure_request", reference, None)]


@pytest.mark.parametrize("command", ["gdpr_erase", "gdpr_hold", "migration_approval", "gdpr_process"])
def test_another_account_takes_its_password_in_every_command(erasing: Erasing, command: str) -> None:
    """A wrong password is refused by the same rule, and the trail has who was refused to act as whom."""
    calls = {
        "gdpr_erase": ("gdpr_erase", "2", "--noinput", "--as", "filer"),
        "gdpr_hold": ("gdpr_hold", "place", "2", "--reason", "authority", "--as", "filer"),
        "migration_approval": ("migration_approval", "request", "--as", "filer", "--reason", "release"),
        "gdpr_process": ("gdpr_process", "--as", "filer"),
    }

    done = erasing.command(*calls[command], ACCORD_PASSWORD="a guess")

    assert done.returncode == 4, done.stdout + done.stderr
    assert "ACC-824" in done.stderr
    assert erasing.rows("SELECT count(*) FROM gdpr_erasurerequest") == [(0,)]
    assert erasing.rows("SELECT count(*) FROM gdpr_legalhold") == [(0,)]
    [(who, kind, _, whom)] = erasing.rows(REFUSED)
    assert (who, kind, whom) == (key_of(erasing, OPERATOR), "account", key_of(erasing, "filer"))


@pytest.mark.parametrize(
    ("before", "state"),
    [("approved({key})", "approved"), ("begun({key})", "executing"), (WITHOUT_A_PLAN, "received")],
    ids=["approved", "begun", "received"],
)
def test_going_on_takes_an_account_and_its_permission(erasing: Erasing, before: str, state: str) -> None:
    """Neither a user of the machine without an account nor an account without the permission goes on."""
    reference = erasing.reference(before.format(key=3))

    nobody = erasing.erase("--request", reference, "--as", "nobody")
    erasing.execute(f"UPDATE auth_user SET username = 'somebody' WHERE username = '{OPERATOR}'")
    unknown = erasing.erase("--request", reference, "--resume")
    looked = erasing.erase("--request", reference, "--verify-only")

    assert (nobody.returncode, unknown.returncode) == (4, 2), nobody.stderr + unknown.stderr
    assert "ACC-824" in nobody.stderr
    assert "There is no account" in unknown.stderr
    assert looked.returncode == 3, looked.stderr
    assert erasing.state(reference) == state
    assert erasing.rows(REFUSED) == [(key_of(erasing, "nobody"), "erasure_request", reference, None)]


def test_trail_names_whoever_carries_out(erasing: Erasing) -> None:
    """Every event from the fence to the receipt is that of the account that ran it; cron is the suite."""
    references = erasing.call("say([approved(key).reference for key in (3, 4, 5, 6, 7)])")
    by_hand, named = references[:2]

    codes = [
        erasing.erase("--request", by_hand).returncode,
        erasing.erase("--request", named, "--as", "approver").returncode,
        erasing.command("gdpr_process", "--as", "nobody").returncode,
        erasing.command("gdpr_process", "--as", "filer").returncode,
    ]
    last = erasing.reference("approved(8)")
    codes.append(erasing.command("gdpr_process").returncode)

    assert codes == [0, 0, 4, 0, 0]
    actors = [{who for (who,) in erasing.rows(BEGUN.format(reference=one))} for one in (*references, last)]
    filer = {key_of(erasing, "filer")}
    assert actors == [
        {key_of(erasing, OPERATOR)}, {key_of(erasing, "approver")}, filer, filer, filer, {"system"},
    ]  # fmt: skip


def test_planning_is_by_whoever_plans(erasing: Erasing) -> None:
    """Who plans at the command line can't approve that plan, as in the admin and over HTTP."""
    reference = erasing.reference(WITHOUT_A_PLAN.format(key=3))

    planned = erasing.erase("--request", reference, "--as", "approver")
    own = erasing.erase("--request", reference, "--approve", "--as", "approver")

    assert (planned.returncode, own.returncode) == (5, 4), planned.stderr + own.stderr
    assert "ACC-823" in own.stderr
    assert erasing.state(reference) == "planned"


def test_export_takes_a_permission_of_its_own(erasing: Erasing, tmp_path: Path) -> None:
    """Whoever may not export gets no file; whoever does stands in the trail."""
    export = ("gdpr_export", "3", "--by", "id", "--plain", "--output")

    refused = erasing.command(*export, str(tmp_path / "none"), "--as", "nobody")
    made = erasing.command(*export, str(tmp_path / "some"), "--as", "filer")
    own = erasing.command(*export, str(tmp_path / "own"))

    assert [one.returncode for one in (refused, made, own)] == [4, 0, 0], refused.stderr + made.stderr
    assert not (tmp_path / "none").exists()
    assert erasing.rows(EXPORTS) == [(key_of(erasing, "filer"),), (key_of(erasing, OPERATOR),)]
    assert erasing.rows(REFUSED) == [(key_of(erasing, "nobody"), "export", "", None)]


def test_refusal_asked_for_again_and_again_fills_no_trail(erasing: Erasing) -> None:
    """The same account, the same thing: one event a minute; another request is another event."""
    first, second = erasing.call("say([planned(key).reference for key in (3, 4)])")

    for reference in (first, first, second):
        done = erasing.erase("--request", reference, "--approve", "--as", "filer", "--format", "json")
        assert done.returncode == 4, done.stderr
        assert json.loads(done.stdout)["error"]["code"] == "ACC-823"

    filer = key_of(erasing, "filer")
    assert erasing.rows(REFUSED) == [
        (filer, "erasure_request", first, None), (filer, "erasure_request", second, None),
    ]  # fmt: skip
    assert erasing.command("audit_verify").returncode == 0


def test_refusal_that_can_not_be_written_is_still_one(erasing: Erasing) -> None:
    """Another writer keeps the trail: the answer comes all the same, soon, and is the refusal."""
    reference = erasing.reference("planned(3)")
    connection = psycopg2.connect(erasing.project.database_url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_lock(%s)", [CHAIN_LOCK])
        began = time.monotonic()
        done = erasing.erase("--request", reference, "--approve", "--as", "filer")
        took = time.monotonic() - began
    finally:
        connection.close()

    assert done.returncode == 4, done.stderr
    assert "ACC-823" in done.stderr
    assert took < 60
    assert erasing.rows(REFUSED) == []
