"""The restore centre in the admin: what was restored, by whom its replay is begun, and who carries it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from gdpr.drill.backups import MongoBackup
from tests.acceptance.test_register import away, cut_off, of_another
from tests.fix_requests import Erasing

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(600)]
CLIENT = """
from django.conf import settings
from django.template import Template
from django.test import Client
from django.test.utils import instrumented_test_render
from django.urls import reverse
# Answers carry the context of their templates then. A whole test environment would bring stores of its own.
settings.ALLOWED_HOSTS, Template._render = ["*"], instrumented_test_render
centre = reverse("admin:gdpr_registermark_changelist")
def client(name):
    found = Client()
    found.force_login(get_user_model().objects.get(username=name))
    return found
def look(name="approver"):
    answer = client(name).get(centre)
    shown = answer.context
    return {
        "status": answer.status_code,
        "text": answer.content.decode(),
        "states": {one.alias: one.state for one, _ in shown["stores"]} if answer.status_code == 200 else {},
        "total": sum(one.found.total for one in shown["brought"]) if answer.status_code == 200 else 0,
    }
def send(name, address, **sent):
    answer = client(name).post(reverse(f"admin:gdpr_registermark_{address}"), sent, follow=True)
    return answer.status_code, [str(one) for one in (answer.context or {}).get("messages", [])]
"""
BEGIN = "Begin the replay"


def centre(erasing: Erasing, code: str, **env: str) -> Any:
    """Ask the admin of the sample project."""
    return erasing.call(CLIENT + code, **env)


@pytest.fixture
def backup(erasing: Erasing, tmp_path: Path) -> MongoBackup:
    """Give a backup of MongoDB from after a first erasure, so that it has its mark."""
    assert erasing.erase("--request", erasing.reference("approved(2)")).returncode == 0
    name = urlsplit(erasing.project.mongodb_url).path.strip("/")
    made = MongoBackup(erasing.project.mongodb_url, name, tmp_path / "mongodb.bson")
    made.make()
    return made


@pytest.mark.by_turns(3)
def test_replay_is_begun_by_a_person_and_carried_out_by_cron(erasing: Erasing, backup: MongoBackup) -> None:
    """Who may not carry erasures out sees nothing and begins nothing; proof is asked for as elsewhere."""
    assert erasing.erase("--request", erasing.reference("approved(3)")).returncode == 0
    calm = centre(erasing, "say(look())")
    backup.restore()

    noticed = centre(erasing, "say([look(), look('nobody')['status'], send('nobody', 'begin')[0]])")
    cron_before = erasing.command("gdpr_process")
    still = erasing.holdings(3)["plays"]
    begun = centre(erasing, "say([send('approver', 'begin'), look()])")
    cron = erasing.command("gdpr_process", "--format", "json")
    after = centre(erasing, "say(look())")

    assert set(calm["states"].values()) == {"even"}, calm["states"]
    assert (calm["total"], BEGIN in calm["text"]) == (0, False)
    shown, *refused = noticed
    assert (shown["states"]["mongodb"], shown["total"], BEGIN in shown["text"]) == ("restored", 1, True)
    assert refused == [403, 403]
    assert (cron_before.returncode, still > 0) == (0, True), cron_before.stdout
    [status, said], shown = begun
    assert (status, len(said), "has begun" in said[0]) == (200, 1, True)
    assert (shown["states"]["mongodb"], BEGIN in shown["text"]) == ("replaying", False)
    assert cron.returncode == 0, cron.stdout + cron.stderr
    assert (after["states"], after["total"]) == (calm["states"], 0)
    erasing.assert_gone(3)
    who = "SELECT DISTINCT actor_ref FROM accord_auditevent WHERE event = '{}'"
    assert erasing.rows(who.format("replay.started")) == erasing.rows(who.format("erasure.approved"))


@pytest.mark.by_turns(3)
def test_register_that_can_not_be_relied_on_is_told(erasing: Erasing) -> None:
    """Away, cut off, of another database: the page says which, and offers nothing."""
    register = erasing.project.register
    assert erasing.erase("--request", erasing.reference("approved(3)")).returncode == 0
    whole = register.read_bytes()

    for spoil, code in ((away, "ACC-853"), (cut_off, "ACC-852"), (of_another, "ACC-853")):
        spoil(register)
        shown, sent = centre(erasing, "say([look(), send('approver', 'begin')])")

        assert shown["status"] == 200
        assert code in shown["text"]
        assert BEGIN not in shown["text"]
        assert code in sent[1][0]
        register.write_bytes(whole)


@pytest.mark.by_turns(3)
def test_production_asks_for_the_password(erasing: Erasing, backup: MongoBackup) -> None:
    """Without that of whoever is signed in nothing begins."""
    assert erasing.erase("--request", erasing.reference("approved(3)")).returncode == 0
    backup.restore()
    asked = "from gdpr.screens import proof; proof.is_asked_for = lambda: True\n"

    wrong = centre(erasing, asked + "say([send('approver', 'begin', own_password='x'), look()])")
    right = centre(
        erasing, asked + "say([send('approver', 'begin', own_password='only-for-one-test'), look()])"
    )

    assert wrong[0][1] == ["That is not your password."]
    assert wrong[1]["states"]["mongodb"] == "restored"
    assert 'name="own_password"' in wrong[1]["text"]
    assert right[1]["states"]["mongodb"] == "replaying", right[0]
