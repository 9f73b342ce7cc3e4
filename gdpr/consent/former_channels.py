"""
Texts that earlier versions took as the channel of a consent: anything, an e-mail address too.

Events are never changed, but for this once: a text that is no word of the list may be personal, and would
stay for ever. It becomes `other`, and the chain of that person and purpose is hashed anew. A chain that
wasn't intact before isn't intact afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from django.apps.registry import Apps
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from gdpr.consent.chain import hash_of, is_genuine
from gdpr.states import ConsentChannel

_OFF = "ALTER TABLE gdpr_consentevent DISABLE TRIGGER USER"
_ON = "ALTER TABLE gdpr_consentevent ENABLE TRIGGER USER"


def replace(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """
    Replace the texts, inside of a migration's transaction.

    Args:
        apps: Models of the moment.
        schema_editor: Of the database.
    """
    connection = schema_editor.connection
    if connection.vendor != "postgresql":
        return
    events = apps.get_model("gdpr", "ConsentEvent")._default_manager.using(connection.alias)
    unknown = events.exclude(channel__in=ConsentChannel.values).order_by()
    people = set(unknown.values_list("subject_tag", flat=True))
    if not people:
        return
    schema_editor.execute(_OFF)
    chains = events.filter(subject_tag__in=people).select_related("notice")
    for _, chain in groupby(chains.order_by("subject_tag", "purpose", "number"), key=_whose):
        for event in _rewritten(list(chain)):
            event.save(update_fields=["channel", "previous_hash", "hash"])
    schema_editor.execute(_ON)


def _whose(event: Any) -> tuple[str, str]:
    return event.subject_tag, event.purpose


def _rewritten(chain: list[Any]) -> Iterable[Any]:
    """Yield the events of one chain with known words, each sealing the one before it as far as it did."""
    before = ""
    last = ""
    for event in chain:
        genuine = is_genuine(event) and event.previous_hash == before
        before = event.hash
        if event.channel not in ConsentChannel.values:
            event.channel = ConsentChannel.OTHER
        if genuine:
            event.previous_hash = last
            event.hash = hash_of(event)
        last = event.hash
        yield event
