"""Inactive people: when somebody who never comes back is warned, and their erasure asked for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from django.apps import apps
from django.db.models import DateTimeField

from gdpr.datamap.entries import Entry
from gdpr.datamap.findings import Fault, MapFinding
from gdpr.datamap.locators import Key
from gdpr.datamap.terms import Span


@dataclass(frozen=True, kw_only=True)
class Inactive:
    """
    How long an account may lie unused. Whoever signs in in between ends it.

    Attributes:
        entry: Id of the entry of the accounts, in a table; its locator is a :class:`Key`.
        last_seen: Field with the moment when an account was last used.
        since: Field with the moment when it was made, which counts for one that was never used.
        after: How long nobody was seen before the person is warned.
        warn: How long after the warning the erasure is asked for.
        address: Which of the person's keys the warning is sent to.
        language: Field of the person with their language; empty for the project's.
    """

    entry: str
    last_seen: str
    since: str
    after: Span
    warn: Span
    address: str = "email"
    language: str = ""


def unfounded(
    rule: Inactive, model: str, keys: Collection[str], entries: Mapping[str, Entry]
) -> Iterator[MapFinding]:
    """
    Look for what a rule about inactive people counts on and that isn't there.

    Args:
        rule: The rule.
        model: Label of the model that stands for the person.
        keys: Names of the person's keys.
        entries: Entries by their ids.
    """
    for what in _missing(rule, keys, entries):
        yield MapFinding(
            fault=Fault.NO_SUBJECT,
            message=f"The rule about inactive people of {model} {what}.",
            hint="Correct SUBJECT's `inactive`; see docs/howto/keep-for-a-time.md.",
            target=model,
        )


def _missing(rule: Inactive, keys: Collection[str], entries: Mapping[str, Entry]) -> Iterator[str]:
    if rule.address not in keys:
        yield f"writes to the key “{rule.address}”, which there is not"
    entry = entries.get(rule.entry)
    if entry is None or not isinstance(entry.locator, Key):
        yield f"looks at the entry “{rule.entry}”, which is none that is found by a Key"
        return
    try:
        fields = {one.name: one for one in apps.get_model(entry.target)._meta.concrete_fields}
    except (LookupError, ValueError):
        fields = {}
    for name in (rule.last_seen, rule.since):
        if not isinstance(fields.get(name), DateTimeField):
            yield f"counts from {entry.target}.{name}, which is no field with a moment"
