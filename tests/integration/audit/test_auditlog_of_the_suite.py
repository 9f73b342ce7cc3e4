"""What django-auditlog writes about the suite's own models: states and dates, nothing of a person."""

from __future__ import annotations

import json

import pytest
from django.apps import apps

from tests.fix_project import Project
from tests.fix_requests import Erasing

pytestmark = pytest.mark.integration

DECLARED = {
    "erasurerequest": {"state"},
    "legalhold": {"reason", "review_at"},
    "planapproval": {"state", "environment", "digest"},
}
ENTRIES = """
SELECT c.model, l.action, l.changes, l::text
FROM auditlog_logentry l JOIN django_content_type c ON c.id = l.content_type_id
WHERE c.app_label IN ('gdpr', 'migrator') ORDER BY l.id
"""
ASK = """
from django.utils import timezone
from migrator.models import PlanApproval
def ask(digest):
    now = timezone.now()
    PlanApproval.objects.create(
        project="p", environment="production", kind="apply", direction="apply", digest=digest, steps=[],
        remaining=[], reason="Zoe Quetzal wants it", requester_ref="r" * 32, requester_key="4711",
        requested_at=now, expires_at=now,
    )
"""
ON_THE_WAY = """
import django; django.setup()
from django.core.management import call_command
from django.db import connection
def migrate(*target): call_command("migrate", *target, verbosity=0, skip_checks=True)
for app in ("accord", "migrator"): migrate(app)
ask("made before the table")
migrate("auditlog")
ask("made with the table")
with connection.cursor() as cursor:
    cursor.execute("ALTER TABLE auditlog_logentry RENAME COLUMN actor_email TO not_yet")
ask("made before a column")
with connection.cursor() as cursor:
    cursor.execute("ALTER TABLE auditlog_logentry RENAME COLUMN not_yet TO actor_email")
"""


def test_suites_models_are_logged_without_personal_values(erasing: Erasing) -> None:
    """What changed of a request, a hold and an approval is named; values only where nobody is behind them."""
    erasing.execute("UPDATE streaming_listener SET email = 'zoe@canary.example' WHERE id = 3")
    reference = erasing.call(ASK + "ask('d' * 64)\nsay(approved(3).reference)")
    placed = erasing.command("gdpr_hold", "place", "4", "--reason", "17(3)(e)", "--as", "filer")
    assert placed.returncode == 0, placed.stderr

    entries = erasing.rows(ENTRIES)

    assert {model for model, *_ in entries} == set(DECLARED)
    for model, _action, changes, _text in entries:
        hidden = {name: pair for name, pair in changes.items() if name not in {*DECLARED[model], "id"}}
        assert {value for pair in hidden.values() for value in pair} <= {"***", "", "None"}, (model, hidden)
    states = [changes["state"][1] for model, _, changes, _ in entries if model == "erasurerequest"]
    assert states[-2:] == ["planned", "approved"], states
    text = json.dumps([row for *_, row in entries]).lower()
    tags = erasing.rows(
        "SELECT subject_tag FROM gdpr_erasurerequest UNION SELECT subject_tag FROM gdpr_legalhold"
    )
    for canary in ("canary", "quetzal", "4711", "sealed", reference, *(tag for (tag,) in tags)):
        assert canary not in text, canary


def test_approval_does_not_need_the_table_that_it_is_asked_for(project: Project) -> None:
    """Without django-auditlog's table, or one of its columns, an approval is kept and not logged."""
    done = project.run(
        "-W", "ignore", "-c", ON_THE_WAY.replace("def migrate", ASK + "def migrate"), program=()
    )

    assert done.returncode == 0, done.stderr
    assert project.rows("SELECT count(*) FROM migrator_planapproval") == [(3,)]
    assert project.rows("SELECT changes ->> 'digest' FROM auditlog_logentry") == [
        ('["None", "made with the table"]',)
    ]


@pytest.mark.parametrize("app", ["gdpr", "migrator"])
def test_declared_fields_exist_and_sealed_ones_are_left_out(app: str) -> None:
    """Every declared field is shown, every other one hidden, and bytes are not compared at all."""
    from auditlog.registry import auditlog as registry

    config = apps.get_app_config(app)
    for name, shown in config.audited.items():  # type: ignore[attr-defined]  # django-stubs knows no `audited`
        model = config.get_model(name)
        fields = registry.get_model_fields(model)
        binary = {field.name for field in model._meta.fields if field.get_internal_type() == "BinaryField"}

        assert set(fields["include_fields"]) == {field.name for field in model._meta.fields} - binary
        assert set(fields["mask_fields"]) | set(shown) | {"id"} == {
            field.name for field in model._meta.fields
        }
