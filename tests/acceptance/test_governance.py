"""Governance end to end: commands in processes of their own, on real stores, through every door there is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pymongo import MongoClient

from accord.audit.chain import FIELDS, Link
from tests.fix_workshop import ROOT, Workshop

pytestmark = [pytest.mark.acceptance, pytest.mark.by_turns(3)]

Finished = subprocess.CompletedProcess[str]
PASSWORD = "a password for tests"
PRODUCTION = {"WORKSHOP_ENVIRONMENT": "production"}
PRODUCTION_KEY = "the key of the production installation, of more than fifty characters"
STAGING_KEY = "the key of the staging installation, of more than fifty characters"


def policy(**entry: Any) -> dict[str, str]:
    """Describe a production with a policy of its own."""
    return {**PRODUCTION, "WORKSHOP_POLICY": json.dumps({"production": entry})}


@pytest.fixture
def production(workshop: Workshop) -> Workshop:
    """Give the small project as a production on empty stores, with two steps to run."""
    workshop.mongo("0001_one", "one")
    workshop.mongo("0002_two", "two", needs="0001_one")
    # Every account of these tests has the same password, so one variable proves any of them.
    return replace(workshop, variables={**workshop.variables, **PRODUCTION, "ACCORD_PASSWORD": PASSWORD})


def under(workshop: Workshop, **variables: str) -> Workshop:
    """Give the same project with other variables."""
    return replace(workshop, variables={**workshop.variables, **variables})


def with_people(workshop: Workshop, *names: str) -> Workshop:
    """Prepare an empty production: the tables of approvals and accounts, and two people."""
    request = workshop.run("migration_approval", "request", "--as", "nobody", "--reason", "first")
    assert request.returncode == 4, request.stderr
    for name in names or ("ada", "ben"):
        made = workshop.run(
            "createsuperuser", "--noinput", "--username", name, "--email", f"{name}@example.org",
            DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        assert made.returncode == 0, made.stderr
    return workshop


def ask(workshop: Workshop, *flags: str, person: str = "ada") -> Any:
    """Ask for an approval."""
    words = ("--as", person, "--reason", "release 7")
    return workshop.answer("migration_approval", "request", *flags, *words)


def approve(workshop: Workshop, reference: str, *more: str, person: str = "ben") -> Finished:
    """Approve a request."""
    words = ("--as", person, "--reason", "looked at it", *more)
    return workshop.run("migration_approval", "approve", reference, *words)


def approved(workshop: Workshop, *flags: str) -> str:
    """Ask for an approval, and get it from another person."""
    reference: str = ask(workshop, *flags)["reference"]
    assert approve(workshop, reference).returncode == 0
    return reference


def state_of(workshop: Workshop, reference: str) -> str:
    """Say how far a request is."""
    state: str = workshop.answer("migration_approval", "show", reference)["state"]
    return state


def assert_refused(done: Finished, code: str, exit_code: int, *words: str) -> None:
    """Make sure that a command said why it refused, and what to do."""
    assert done.returncode == exit_code, done.stdout + done.stderr
    assert f"[{code}]" in done.stderr, done.stderr
    assert "Traceback" not in done.stderr
    for word in words:
        assert word in done.stderr, done.stderr


def sql(workshop: Workshop, statement: str, *values: object) -> list[tuple[Any, ...]]:
    """Send a statement to PostgreSQL, past everything of ours."""
    connection = psycopg2.connect(workshop.variables["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values)
            return list(cursor.fetchall()) if cursor.description else []
    finally:
        connection.close()


def events(workshop: Workshop, reference: str) -> list[str]:
    """Name what the audit trail holds of a request."""
    query = "SELECT event FROM accord_auditevent WHERE object_ref = %s ORDER BY seq"
    return [event for (event,) in sql(workshop, query, reference)]


def collections(workshop: Workshop) -> set[str]:
    """Name the collections that the project's steps made."""
    with MongoClient[dict[str, Any]](workshop.variables["MONGODB_URL"]) as client:
        names = client.get_default_database().list_collection_names()
    return {name for name in names if not name.startswith("accord")}


# --- approvals ----------------------------------------------------------------------------------------


def test_production_without_approval_is_refused_before_anything_is_written(production: Workshop) -> None:
    """The command to ask with is in the answer, with the flags of the run."""
    done = production.run("migrate_all", "--noinput", "--store", "mongodb")

    assert_refused(done, "ACC-921", 5, "migration_approval request --store mongodb --as USERNAME")
    assert collections(production) == set()
    assert sql(production, "SELECT to_regclass('migrator_run')") == [(None,)]


def test_first_approval_of_an_empty_production(production: Workshop) -> None:
    """Tables of approvals and accounts are made on the way; another person approves; the run runs."""
    with_people(production)
    reference = ask(production)["reference"]

    waiting = production.run("migrate_all", "--noinput")
    assert_refused(waiting, "ACC-921", 5, reference[:8], "approve")
    assert approve(production, reference[:8]).returncode == 0
    done = production.run("migrate_all", "--noinput")

    assert done.returncode == 0, done.stderr
    assert reference[:8] in done.stderr
    assert collections(production) == {"one", "two"}
    assert state_of(production, reference) == "used"
    assert events(production, reference) == ["approval.requested", "approval.granted", "approval.used"]
    assert production.run("audit_verify").returncode == 0


def test_other_environments_ask_for_nothing(production: Workshop) -> None:
    """Without a policy, only production waits for a second person."""
    done = under(production, WORKSHOP_ENVIRONMENT="qa").run("migrate_all", "--noinput")

    assert done.returncode == 0, done.stderr


def test_own_request_is_refused_by_command_and_by_the_database(production: Workshop) -> None:
    """Neither a superuser nor raw SQL approves what they asked for."""
    with_people(production)
    reference = ask(production)["reference"]

    done = approve(production, reference, person="ada")
    with pytest.raises(psycopg2.errors.CheckViolation):
        sql(
            production,
            "UPDATE migrator_planapproval SET state = 'approved', approver_ref = requester_ref, "
            "approver_key = requester_key, decided_at = now() WHERE reference = %s",
            reference,
        )

    assert_refused(done, "ACC-923", 4, "another person")
    assert events(production, reference) == ["approval.requested", "access.denied"]
    assert state_of(production, reference) == "requested"
    assert production.run("migrate_all", "--noinput").returncode == 5


def test_second_person_is_no_account_made_for_the_occasion(production: Workshop) -> None:
    """A superuser makes another one after asking, and it approves nothing; for what is asked later it may."""
    with_people(production, "ada")
    first = ask(production)["reference"]
    with_people(production, "ben")
    late = approve(production, first)
    assert (
        production.run("migration_approval", "reject", first, "--as", "ada", "--reason", "own").returncode
        == 4
    )
    sql(production, "UPDATE auth_user SET date_joined = '2001-01-01'")

    assert_refused(late, "ACC-923", 4, "was not known here")
    assert_refused(approve(production, first), "ACC-923", 4, "was not known here")
    assert state_of(production, first) == "requested"
    no = production.run("migration_approval", "reject", first, "--as", "ben", "--reason", "anew")
    assert no.returncode == 0, no.stderr
    second = ask(production)["reference"]
    assert second != first
    assert approve(production, second).returncode == 0


def test_approver_has_to_be_active_when_the_plan_runs(production: Workshop) -> None:
    """Who has left since said yes in vain."""
    with_people(production)
    approved(production)
    sql(production, "UPDATE auth_user SET is_active = false WHERE username = 'ben'")
    refused = production.run("migrate_all", "--noinput")
    sql(production, "UPDATE auth_user SET is_active = true WHERE username = 'ben'")

    assert_refused(refused, "ACC-921", 5, "gone or not active")
    assert collections(production) == set()
    assert production.run("migrate_all", "--noinput").returncode == 0


def test_production_believes_no_variable(production: Workshop) -> None:
    """By default ACCORD_PASSWORD decides nothing there, and asks for nothing; a token in a file does."""
    with_people(production)
    reference = ask(production)["reference"]
    default = under(production, WORKSHOP_POLICY=json.dumps({"production": {"approval": True}, "proof": {}}))
    files = {name: production.folder / f"token-{name}" for name in ("ada", "ben")}
    for name, file in files.items():
        made = production.run("accord_token", "create", "--as", name, "--output", str(file), "--noinput")
        assert made.returncode == 0, made.stderr

    def decide(*more: str) -> Finished:
        return default.run("migration_approval", "approve", reference, "--reason", "seen", *more)

    assert_refused(decide("--as", "ben"), "ACC-824", 4, "--token-file")
    asked = default.run("migration_approval", "request", "--as", "ada", "--reason", "again")
    assert_refused(asked, "ACC-824", 4, "--token-file")
    assert_refused(decide("--token-file", str(files["ada"])), "ACC-923", 4)
    assert state_of(production, reference) == "requested"
    assert decide("--token-file", str(files["ben"])).returncode == 0
    assert state_of(production, reference) == "approved"


def test_raw_sql_in_the_name_of_another_is_not_believed(production: Workshop) -> None:
    """An approval that the audit trail knows nothing of does not count."""
    with_people(production)
    reference = ask(production)["reference"]

    sql(
        production,
        "UPDATE migrator_planapproval SET state = 'approved', approver_ref = %s, approver_key = '2', "
        "decided_at = now() WHERE reference = %s",
        "0" * 32,
        reference,
    )

    assert_refused(production.run("migrate_all", "--noinput"), "ACC-921", 5, "audit trail")


def test_yes_and_event_that_sql_added_are_not_believed(production: Workshop) -> None:
    """The event continues the chain, with a right hash; what only the project's key can make is missing."""
    with_people(production)
    reference = ask(production)["reference"]
    [(digest, ben)] = sql(
        production,
        "SELECT a.digest, r.ref FROM migrator_planapproval AS a, accord_actorreference AS r "
        "JOIN auth_user AS u ON r.kind = 'auth.user' AND r.key = u.id::text AND username = 'ben'",
    )
    [(seq, at, last)] = sql(
        production, "SELECT seq, at, hash FROM accord_auditevent ORDER BY seq DESC LIMIT 1"
    )
    link = Link(
        seq=seq + 1, at=at, event="approval.granted", outcome="done", actor_kind="person", actor_ref=ben,
        object_kind="approval", object_ref=reference, plan_digest=digest, prev_hash=last,
    )  # fmt: skip
    values = [json.dumps(one) if one == {} else one for one in (getattr(link, name) for name in FIELDS)]
    columns, places = ", ".join((*FIELDS, "hash")), ", ".join(["%s"] * (len(FIELDS) + 1))

    sql(production, f"INSERT INTO accord_auditevent ({columns}) VALUES ({places})", *values, link.digest())
    sql(
        production,
        "INSERT INTO migrator_planyes (approval_id, digest, account_ref, account_key, reason, given_at, "
        "revoker_ref, revoker_key, revoked_because) SELECT id, digest, %s, '2', 'seen', now(), '', '', '' "
        "FROM migrator_planapproval",
        ben,
    )
    sql(
        production,
        "UPDATE migrator_planapproval SET state = 'approved', approver_ref = %s, approver_key = '2', "
        "decided_at = now()",
        ben,
    )

    assert_refused(production.run("migrate_all", "--noinput"), "ACC-921", 5, "audit trail")
    assert collections(production) == set()
    trail = production.run("audit_verify")
    assert (trail.returncode, "seal" in trail.stdout + trail.stderr) == (6, True), trail.stdout + trail.stderr


def test_what_was_asked_for_never_changes(production: Workshop) -> None:
    """PostgreSQL refuses to edit, prolong or delete a request."""
    with_people(production)
    reference = ask(production)["reference"]

    for change in (
        "UPDATE migrator_planapproval SET steps = '[]'",
        "UPDATE migrator_planapproval SET requester_ref = repeat('1', 32), requester_key = '9'",
        "UPDATE migrator_planapproval SET expires_at = expires_at + interval '1 day'",
        "DELETE FROM migrator_planapproval",
    ):
        with pytest.raises(psycopg2.errors.RestrictViolation):
            sql(production, change)

    assert state_of(production, reference) == "requested"


def test_plan_changed_after_its_approval_has_none(production: Workshop) -> None:
    """A step that was edited, or came later, was never approved."""
    with_people(production)
    approved(production)

    path = production.mongo("0002_two", "another", needs="0001_one")
    edited = production.run("migrate_all", "--noinput")
    production.mongo("0002_two", "two", needs="0001_one")
    production.mongo("0003_three", "three", needs="0002_two")
    longer = production.run("migrate_all", "--noinput")

    assert_refused(edited, "ACC-921", 5, f"mongodb:workshop.{path.stem} was changed")
    assert_refused(longer, "ACC-921", 5, "mongodb:workshop.0003_three is not among")
    assert collections(production) == set()


def test_expired_approval_does_not_count(production: Workshop) -> None:
    """It can't be used, decided or prolonged; a new one can be asked for."""
    with_people(production)
    hasty = under(production, **policy(approval=True, approval_ttl=0.001))
    reference = ask(hasty)["reference"]

    late = approve(production, reference)
    done = production.run("migrate_all", "--noinput")

    assert_refused(late, "ACC-922", 4, "expired")
    assert_refused(done, "ACC-921", 5, "expired", "migration_approval request")
    assert events(production, reference) == ["approval.requested", "approval.expired"]
    assert ask(production)["reference"] != reference


def test_used_approval_does_not_count_again(production: Workshop) -> None:
    """Undoing needs an approval of its own, and so does doing it again afterwards."""
    with_people(production)
    used = approved(production)
    assert production.run("migrate_all", "--noinput").returncode == 0
    back = ("--revert", "workshop", "--store", "mongodb")

    assert production.run("migrate_all", "--noinput", *back).returncode == 5
    approved(production, *back)
    assert production.run("migrate_all", "--noinput", *back).returncode == 0
    again = production.run("migrate_all", "--noinput")

    assert_refused(again, "ACC-921", 5, used[:8], "used")
    assert_refused(approve(production, used), "ACC-922", 4)


def test_yes_to_a_revert_is_a_yes_to_its_data_only_where_that_was_asked_and_seen(
    production: Workshop,
) -> None:
    """Whoever approves says that they saw what goes; a run with more words than were asked for is refused."""
    with_people(production)
    approved(production)
    assert production.run("migrate_all", "--noinput").returncode == 0
    with MongoClient[dict[str, Any]](production.variables["MONGODB_URL"]) as client:
        client.get_default_database()["two"].insert_many([{}, {}])
    back = ("--revert", "workshop", "--store", "mongodb")
    plain = ask(production, *back)["reference"]

    unseen = approve(production, plain)
    assert_refused(unseen, "ACC-928", 4, "collection two: 2 documents", "--seen")
    assert state_of(production, plain) == "requested"
    assert approve(production, plain, "--seen").returncode == 0
    assert_refused(production.run("migrate_all", *back, "--noinput"), "ACC-407", 2)
    losing = (*back, "--even-with-data")
    uncovered = production.run("migrate_all", *losing, "--noinput")
    assert_refused(uncovered, "ACC-921", 5, "without --even-with-data", "request --revert --even-with-data")
    assert "two" in collections(production)

    whole = ask(production, *losing)
    assert whole["digest"] == production.answer("migrate_all", *losing, "--plan")["digest"]
    assert approve(production, whole["reference"], "--seen").returncode == 0
    assert production.run("migrate_all", *losing, "--noinput").returncode == 0
    assert "two" not in collections(production)


def test_yes_to_a_rebuild_is_a_yes_to_that_rebuild_alone(production: Workshop) -> None:
    """The store is lost: its request names what is filled again, and covers no run without the word."""
    with_people(production)
    approved(production)
    assert production.run("migrate_all", "--noinput").returncode == 0
    with MongoClient[dict[str, Any]](production.variables["MONGODB_URL"]) as client:
        for name in ("one", "two"):
            client.get_default_database().drop_collection(name)
    again = ("--rebuild", "mongodb", "--data-is-lost")

    refused = production.run("migrate_all", "--noinput", *again)
    assert_refused(refused, "ACC-921", 5, "request --rebuild mongodb --data-is-lost")
    reference = ask(production, *again)["reference"]
    shown = production.answer("migration_approval", "show", reference)
    assert [step["key"] for step in shown["steps"]] == [
        "mongodb:workshop.0001_one",
        "mongodb:workshop.0002_two",
    ]
    assert_refused(production.run("migrate_all", "--noinput", *again), "ACC-921", 5, reference[:8])
    assert approve(production, reference).returncode == 0
    plain = production.run("migrate_all", "--noinput", *again[:2])
    assert plain.returncode != 0, plain.stdout
    assert collections(production) == set()

    done = production.run("migrate_all", "--noinput", *again)

    assert done.returncode == 0, done.stderr
    assert collections(production) == {"one", "two"}
    assert state_of(production, reference) == "used"


def test_rejected_request_says_why_and_stays_closed(production: Workshop) -> None:
    """A no is a decision too: with a reason, by another person."""
    with_people(production)
    reference = ask(production)["reference"]
    waiting = production.run("migration_approval", "show", reference).stdout
    listed = production.answer("migration_approval", "show", reference)["findings"]
    assert any("The file has no docstring. (warning: file-docstring)" in finding for finding in listed)
    assert all(finding in waiting for finding in listed)

    words = ("--as", "ben", "--reason", "not on a Friday")
    assert production.run("migration_approval", "reject", reference, *words).returncode == 0

    assert "findings" not in production.answer("migration_approval", "show", reference)
    assert "not on a Friday" in production.run("migration_approval", "show", reference).stdout
    assert_refused(approve(production, reference), "ACC-922", 4, "rejected")
    assert_refused(production.run("migrate_all", "--noinput"), "ACC-921", 5, "rejected")


def test_asking_twice_gives_one_request(production: Workshop) -> None:
    """A command that is started again changes nothing."""
    with_people(production)

    assert ask(production)["reference"] == ask(production)["reference"]
    assert len(production.answer("migration_approval", "list")["approvals"]) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "exit_code"),
    [
        (("approve", "ffff", "--as", "ada", "--reason", "x"), "ACC-924", 2),
        (("show", ""), "ACC-924", 2),
        (("request", "--as", "nobody", "--reason", "x"), "ACC-925", 4),
        (("request", "--as", "ada", "--reason", "  "), "ACC-100", 2),
        (("import", "/nowhere.json", "--as", "ada"), "ACC-927", 4),
    ],
)
def test_bad_calls(production: Workshop, arguments: tuple[str, ...], code: str, exit_code: int) -> None:
    """Unknown requests, accounts and files are refused without naming a person."""
    with_people(production, "ada")

    done = production.run("migration_approval", *arguments)

    assert_refused(done, code, exit_code)
    assert "nobody" not in done.stderr


def test_account_without_permission_can_not_decide(production: Workshop) -> None:
    """An account is not enough: it takes the permission."""
    with_people(production)
    reference = ask(production)["reference"]
    sql(production, "UPDATE auth_user SET is_superuser = false WHERE username = 'ben'")

    assert_refused(approve(production, reference), "ACC-925", 4, "migrator.approve_planapproval")


def test_killed_run_continues_under_its_approval(production: Workshop) -> None:
    """After SIGKILL the remaining steps are still covered, and afterwards the approval is used up."""
    with_people(production)
    production.write(
        "mongo_migrations/0003_slow.py",
        """
        import os, time
        def slowly(database, *_):
            database["reached"].insert_one({})
            time.sleep(float(os.environ.get("WORKSHOP_SLOW", "0")))
        class Migration(base.Migration):
            dependencies = [("workshop", "0002_two")]
            operations = [base.RunPython(slowly)]
        """,
    )
    reference = approved(production)

    process = start(production, {"WORKSHOP_SLOW": "60"}, "migrate_all", "--noinput")
    wait_for(lambda: "reached" in collections(production), process)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done = production.run("migrate_all", "--noinput", "--lock-wait", "90")

    assert done.returncode == 0, done.stderr
    assert reference[:8] in done.stderr
    assert state_of(production, reference) == "used"


def start(workshop: Workshop, variables: Mapping[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    """Start a command, and give its process."""
    environment = {
        **os.environ,
        **workshop.variables,
        "DJANGO_SETTINGS_MODULE": "tests.projects.workshop.settings",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{workshop.folder}",
        **variables,
    }
    return subprocess.Popen(
        [sys.executable, "-m", "django", *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for(condition: Any, process: subprocess.Popen[bytes]) -> None:
    """Wait until something is true while a process runs."""
    deadline = time.monotonic() + 60
    while not condition():
        assert process.poll() is None, f"ended early with {process.returncode}"
        assert time.monotonic() < deadline, "did not come"
        time.sleep(0.1)


# --- attestations -------------------------------------------------------------------------------------


@pytest.fixture
def staging(production: Workshop, new_database: Any, mongo_url: str, tmp_path: Path) -> Workshop:
    """Give the same files as a staging on stores of its own, with a key of its own."""
    name = f"{mongo_url.partition('?')[0]}_staging?{mongo_url.partition('?')[2]}"
    return under(
        production,
        DATABASE_URL=new_database(),
        MONGODB_URL=name,
        WORKSHOP_ENVIRONMENT="staging",
        WORKSHOP_SECRET_KEY=STAGING_KEY,
        WORKSHOP_ATTESTATIONS=str(tmp_path / "attestations"),
    )


def public_key(workshop: Workshop) -> str:
    """Ask an installation for its public key, as a pipeline would: none of its servers is up."""
    away = under(
        workshop, DATABASE_URL="postgres://nobody@127.0.0.1:1/no", MONGODB_URL="mongodb://127.0.0.1:1/no"
    )
    done = away.run("migration_approval", "key")
    assert done.returncode == 0, done.stderr
    [line] = done.stdout.splitlines()
    return line


@pytest.fixture
def follower(production: Workshop, staging: Workshop) -> Workshop:
    """Give a production that wants staging's word, and trusts its key."""
    trusted = json.dumps({"staging": public_key(staging)})
    return with_people(
        under(production, **policy(attestation="staging"), WORKSHOP_TRUSTED_KEYS=trusted), "ada"
    )


def written(tmp_path: Path) -> Path:
    """Find the one attestation that staging wrote."""
    (path,) = (tmp_path / "attestations").glob("staging-*.json")
    return path


def bring(workshop: Workshop, path: Path) -> Finished:
    """Import an attestation."""
    return workshop.run("migration_approval", "import", str(path), "--as", "ada")


def test_production_follows_staging(follower: Workshop, staging: Workshop, tmp_path: Path) -> None:
    """A run on staging writes a signed file; with it, production runs the same steps."""
    before = follower.run("migrate_all", "--noinput")
    assert staging.run("migrate_all", "--noinput").returncode == 0
    imported = bring(follower, written(tmp_path))
    after = follower.run("migrate_all", "--noinput")

    assert_refused(before, "ACC-926", 4, "mongodb:workshop.0001_one", "never run there")
    assert imported.returncode == 0, imported.stderr
    assert after.returncode == 0, after.stderr
    assert collections(follower) == {"one", "two"}


def test_attestation_comes_before_the_first_request(
    production: Workshop, staging: Workshop, tmp_path: Path
) -> None:
    """An import into an empty production makes the tables that it needs, and says who is missing."""
    trusted = json.dumps({"staging": public_key(staging)})
    first = under(production, **policy(attestation="staging"), WORKSHOP_TRUSTED_KEYS=trusted)
    assert staging.run("migrate_all", "--noinput").returncode == 0
    path = written(tmp_path)

    nobody = bring(first, path)
    with_people(first, "ada")
    imported = bring(first, path)

    assert_refused(nobody, "ACC-925", 4, "createsuperuser")
    assert "Applied" in nobody.stderr
    assert imported.returncode == 0, imported.stderr
    assert first.run("migrate_all", "--noinput").returncode == 0
    assert staging.answer("migration_approval", "key")["public_key"] == public_key(staging)


def test_attestation_names_its_stores_and_ours_are_no_staging(
    follower: Workshop, staging: Workshop, tmp_path: Path
) -> None:
    """What was run on the very stores of this installation tells of no other environment, kept or brought."""
    assert staging.run("migrate_all", "--noinput").returncode == 0
    path = written(tmp_path)
    stores = json.loads(path.read_text())["stores"]
    shown = staging.answer("accord_environment", "show")["stores"]
    assert stores == {one["store"]: one["id"] for one in shown}
    assert sorted(stores) == ["default", "mongodb"]
    # Somebody let a staging with a key of its own run on the stores of production.
    own = sql(follower, "SELECT value FROM accord_mark WHERE id = 'environment'")[0][0]
    assert bring(follower, path).returncode == 0
    write = "UPDATE accord_mark SET value = %s WHERE id = 'environment'"
    sql(follower, write, own.replace(json.loads(own)["id"], stores["default"]))

    refused = bring(follower, path)
    done = follower.run("migrate_all", "--noinput")

    assert_refused(
        refused, "ACC-927", 4, "tells of “staging”, and was run on stores of this installation: default"
    )
    assert_refused(done, "ACC-927", 4, "default")
    assert collections(follower) == set()
    sql(follower, write, own)
    assert follower.run("migrate_all", "--noinput").returncode == 0


def test_attestation_of_other_content_is_refused(
    follower: Workshop, staging: Workshop, tmp_path: Path
) -> None:
    """What was edited since has not been run on staging."""
    assert staging.run("migrate_all", "--noinput").returncode == 0
    assert bring(follower, written(tmp_path)).returncode == 0
    follower.mongo("0002_two", "another", needs="0001_one")

    done = follower.run("migrate_all", "--noinput")

    assert_refused(done, "ACC-926", 4, "mongodb:workshop.0002_two (with other content)")


def test_forged_attestation_is_refused(follower: Workshop, staging: Workshop, tmp_path: Path) -> None:
    """One changed letter, and nothing is kept; written past us into the table, it isn't believed."""
    assert staging.run("migrate_all", "--noinput").returncode == 0
    path = written(tmp_path)
    document = json.loads(path.read_text())
    document["run"] = "20200101-000000-abcdef"
    path.write_text(json.dumps(document))

    refused = bring(follower, path)
    sql(
        follower,
        "INSERT INTO migrator_attestation "
        "(reference, environment, run_id, content, document, signer, made_at, kept_at) "
        "VALUES (repeat('a', 32), 'staging', '', repeat('b', 64), %s, 'self', now(), now())",
        json.dumps(document),
    )
    done = follower.run("migrate_all", "--noinput")

    assert_refused(refused, "ACC-911", 4, path.name)
    assert_refused(done, "ACC-911", 4)
    query = "SELECT count(*) FROM accord_auditevent WHERE event = 'attestation.refused'"
    assert sql(follower, query) == [(1,)]


def test_foreign_attestation_is_refused(follower: Workshop, staging: Workshop, tmp_path: Path) -> None:
    """A key that production does not trust signs for nobody."""
    stranger = under(staging, WORKSHOP_SECRET_KEY=STAGING_KEY[::-1])
    assert stranger.run("migrate_all", "--noinput").returncode == 0

    assert_refused(bring(follower, written(tmp_path)), "ACC-912", 4, "TRUSTED_KEYS")


def test_key_speaks_for_its_own_environment_only(
    follower: Workshop, staging: Workshop, tmp_path: Path
) -> None:
    """Neither a laptop's trusted key nor production's own says that staging went first, unless it may."""
    assert staging.run("migrate_all", "--noinput").returncode == 0
    path, key = written(tmp_path), public_key(staging)
    own = path.with_name("staging-own.json")
    forger = under(staging, WORKSHOP_SECRET_KEY=PRODUCTION_KEY)
    assert forger.run("migration_approval", "attest", "--output", str(own)).returncode == 0
    known = {"laptop": key, "ci": {"key": key, "environments": ["qa"]}}
    allowed = {"ci": {"key": key, "environments": ["qa", "staging"]}}

    producing = under(follower, WORKSHOP_SECRET_KEY=PRODUCTION_KEY)
    for name, entry in known.items():
        other = under(follower, WORKSHOP_TRUSTED_KEYS=json.dumps({name: entry}))
        assert_refused(bring(other, path), "ACC-912", 4, f"“{name}”, which doesn't speak for it")
    assert_refused(bring(producing, own), "ACC-912", 4, "“self”, which doesn't speak for it")
    assert bring(under(follower, WORKSHOP_TRUSTED_KEYS=json.dumps(allowed)), path).returncode == 0


def test_text_that_is_no_attestation_is_refused(follower: Workshop, tmp_path: Path) -> None:
    """The message says what is wrong with it."""
    path = tmp_path / "letter.json"
    path.write_text("[]")

    assert_refused(bring(follower, path), "ACC-927", 4, "accord.attestation/1")


def test_attestation_can_be_written_again_from_the_ledgers(
    follower: Workshop, staging: Workshop, tmp_path: Path
) -> None:
    """A file that got lost is no reason to run anything again."""
    assert staging.run("migrate_all", "--noinput").returncode == 0
    path = tmp_path / "again.json"

    done = staging.run("migration_approval", "attest", "--output", str(path))

    assert done.returncode == 0, done.stderr
    assert public_key(staging) in done.stdout
    assert bring(follower, path).returncode == 0
    assert follower.run("migrate_all", "--noinput").returncode == 0


# --- conventions --------------------------------------------------------------------------------------


def test_broken_conventions_are_all_named(production: Workshop) -> None:
    """One answer names every file and every convention; nothing is run."""
    production.django("0001_Loud", "Loud")
    strict = under(production, **policy(rules=["name", "docstring", "owner"]))

    done = strict.run("migrate_all", "--noinput")

    assert_refused(
        done, "ACC-930", 4, "break 7 conventions", "0001_Loud: the name", "0001_one: nobody owns it"
    )
    assert collections(production) == set()


def test_number_below_an_applied_one_is_refused(production: Workshop) -> None:
    """What comes late gets a late number."""
    qa = under(
        production,
        WORKSHOP_ENVIRONMENT="qa",
        WORKSHOP_POLICY=json.dumps({"qa": {"rules": ["version_order"]}}),
    )
    production.mongo("0004_four", "four", needs="0002_two")
    assert qa.run("migrate_all", "--noinput").returncode == 0
    production.mongo("0003_three", "three", needs="0002_two")
    production.mongo("0005_both", "both", needs="0004_four", more="")
    production.write(
        "mongo_migrations/0005_both.py",
        """
        class Migration(base.Migration):
            dependencies = [("workshop", "0003_three"), ("workshop", "0004_four")]
            operations = []
        """,
    )

    assert_refused(qa.run("migrate_all", "--noinput"), "ACC-930", 4, "0004_four is applied already")


@pytest.mark.parametrize(
    "wrong",
    [
        {"production": {"aproval": True}},
        {"production": {"approval": "yes"}},
        {"production": {"rules": ["nmae"]}},
        {"production": {"approval_ttl": 0}},
        {"production": {"attestation": "production"}},
        {"production": True},
    ],
)
def test_unreadable_policy_is_an_error(production: Workshop, wrong: object) -> None:
    """A typing mistake never means "nothing is asked for"."""
    done = under(production, WORKSHOP_POLICY=json.dumps(wrong)).run("migrate_all", "--noinput")

    assert_refused(done, "ACC-110", 2, "ACCORD['POLICY']['production']")
