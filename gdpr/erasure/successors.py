"""
Who has an erased person's key now: nobody, the person whom a restore brought back, or somebody new.

Restored, a sequence goes back as well, and gives the number of somebody who was erased to the next who comes.
To erase again by that number would erase a new person.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.models import Model, QuerySet

from accord import clock
from gdpr.datamap.keys import Plain
from gdpr.datamap.kinds import Subject
from gdpr.datamap.map import DataMap
from gdpr.datamap.subjects import SubjectKeys


def is_in_doubt(subject: Subject, keys: SubjectKeys, erased_at: datetime) -> bool:
    """
    Return whether the row with a person's key may be somebody else's.

    Args:
        subject: What kind of person.
        keys: The person's keys, from before they were erased.
        erased_at: When that was.

    Returns:
        False where there is no such row. Where the data map says when a row was made, True for one that
        was made after the erasure; where it doesn't, for one whose other keys aren't the person's.
    """
    row = _row(subject, keys.primary)
    if row is None:
        return False
    if subject.created:
        made = row[subject.created]
        return isinstance(made, datetime) and clock.aware(made) > erased_at
    others = [name for name in subject.names if name != subject.key]
    return not others or any(row[name] != keys.alternates.get(name) for name in others)


def _row(subject: Subject, key: Plain) -> Mapping[str, Any] | None:
    rows: QuerySet[Model] = QuerySet(subject.model_class()).filter(**{subject.key: key})
    return rows.values(*subject.names, *filter(None, [subject.created])).first()


def lift_sequences(the_map: DataMap, people: Iterable[SubjectKeys], stores: Collection[str]) -> int:
    """
    Let the sequences of restored tables go on behind the numbers of erased rows, so that none is given again.

    Args:
        the_map: The data map.
        people: Keys of the people, with what was collected.
        stores: Aliases of the databases that were restored.

    Returns:
        How many sequences were looked at.
    """
    highest: dict[str, int] = {}
    for keys in people:
        for target, number in _numbers(the_map, keys):
            highest[target] = max(highest.get(target, 0), number)
    aliases = {entry.target: entry.store for entry in the_map.entries if entry.store in stores}
    return sum(_lift(aliases[one], one, number) for one, number in highest.items() if one in aliases)


def _numbers(the_map: DataMap, keys: SubjectKeys) -> Iterator[tuple[str, int]]:
    found: list[tuple[str, tuple[Plain, ...]]] = [(keys.kind, (keys.primary,))]
    found += [
        (the_map.by_id[one].target, rows) for one, rows in keys.collected.items() if one in the_map.by_id
    ]
    for target, rows in found:
        yield from ((target, row) for row in rows if isinstance(row, int))


def _lift(alias: str, target: str, number: int) -> bool:
    if alias not in connections.settings or connections[alias].vendor != "postgresql":
        return False
    try:
        model = apps.get_model(target)
    except (LookupError, ValueError):
        return False
    quoted = connections[alias].ops.quote_name(model._meta.db_table)
    with connections[alias].cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, %s)", [quoted, model._meta.pk.column])
        [sequence] = cursor.fetchone() or [None]
        if sequence:
            # Its name comes from the server, quoted where it must be.
            cursor.execute(
                f"SELECT setval(%s, greatest(%s, (SELECT last_value FROM {sequence})))",  # noqa: S608 - as above
                [sequence, number],
            )
    return bool(sequence)
