"""Every kind of event that the trail declares has an act in the code that writes it."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module

import pytest
from django.db.migrations import AlterField, CreateModel

from accord.audit.events import EventKind, FormerEventKind
from accord.models import AuditEvent
from tests.fix_project import ROOT

MIGRATIONS = sorted(path.stem for path in (ROOT / "accord/migrations").glob("0*.py"))
PACKAGES = ("accord", "migrator", "mongo_migrations", "searchindex", "gdpr")


@cache
def written() -> frozenset[str]:
    """Read which kinds the code of the suite names, outside of their declaration."""
    files = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    texts = [path.read_text() for path in files if path != ROOT / "accord/audit/events.py"]
    return frozenset(name for text in texts for name in re.findall(r"\bEventKind\.([A-Z_]+)\b", text))


def test_every_declared_kind_has_an_act() -> None:
    """An auditor who finds no event of a kind may conclude that the thing did not happen."""
    assert sorted(frozenset(kind.name for kind in EventKind) - written()) == []


def test_what_earlier_versions_could_write_can_be_read_and_is_not_written_again() -> None:
    """Each word that a migration ever allowed is still one of the column's; a former one has no act."""
    allowed = {word for name in MIGRATIONS for word in words_of(name)}
    shown = dict(AuditEvent._meta.get_field("event").flatchoices)

    assert len(allowed) > 60
    assert allowed - shown.keys() == set()
    assert {*FormerEventKind.values} & {*EventKind.values} == set()
    with pytest.raises(ValueError, match="policy"):
        EventKind(FormerEventKind.POLICY_REFUSED.value)


def words_of(name: str) -> frozenset[str]:
    """Read the words of the column `event` in a migration of the kernel."""
    operations = import_module(f"accord.migrations.{name}").Migration.operations
    made = (dict(one.fields).get("event") for one in operations if isinstance(one, CreateModel))
    changed = (one.field for one in operations if isinstance(one, AlterField) and one.name == "event")
    return frozenset(word for field in (*made, *changed) if field for word, _ in field.flatchoices)
