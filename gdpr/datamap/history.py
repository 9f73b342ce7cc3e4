"""
What a key was before a request came in: from a table of versions, from auditlog, or from the project itself.

Each is called with the primary key of a person and gives the values that one of their keys had.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.apps import apps
from django.db.models import Model, QuerySet

from gdpr.datamap.keys import Plain
from gdpr.datamap.kin import kin
from gdpr.errors import InvalidDataMap

Earlier = Callable[[Plain], Iterable[object]]
"""Gives what a key of a person was, by the primary key; the value of now may be among it."""


@dataclass(frozen=True)
class History:
    """
    A table with a row for each version of a person's row, as django-simple-history keeps it.

    Attributes:
        model: Label of the model of the versions.
        field: Field that holds the key.
        key: Field that holds the person's primary key.
    """

    model: str
    field: str
    key: str = "id"

    def __call__(self, primary: Plain) -> Iterator[object]:
        """Give the values of all versions, each once."""
        versions: QuerySet[Model] = QuerySet(_model(self.model))
        found = versions.filter(**{self.key: primary}).order_by().values_list(self.field, flat=True)
        yield from found.distinct().iterator()


@dataclass(frozen=True)
class Audited:
    """
    Entries of auditlog about a person's row, which hold what a field was and what it became.

    Attributes:
        model: Label of the model that stands for the person.
        field: Field that holds the key.
    """

    model: str
    field: str

    def __call__(self, primary: Plain) -> Iterator[object]:
        """Give every value of the field in the log."""
        logged: QuerySet[Model] = QuerySet(_model("auditlog.LogEntry"))
        for app_label, name in kin(self.model):
            about = {"content_type__app_label": app_label, "content_type__model": name}
            rows = logged.filter(object_pk=str(primary), **about).values_list("changes", flat=True)
            for changes in rows.iterator():
                # auditlog writes "None" for what was empty.
                pair = (changes or {}).get(self.field, ()) if isinstance(changes, dict) else ()
                yield from (value for value in pair if value != "None")


def described(earlier: Earlier) -> str:
    """Name where earlier values come from, for the digest of the map."""
    if isinstance(earlier, History | Audited):
        return repr(earlier)
    kind = type(earlier)
    return f"{earlier.__module__}.{getattr(earlier, '__qualname__', kind.__qualname__)}"


def _model(label: str) -> type[Model]:
    try:
        return apps.get_model(label)
    except (LookupError, ValueError) as exc:
        raise InvalidDataMap(
            f"Earlier values of a key are looked for in {label}, which is no installed model.",
            hint="Correct the label in SUBJECT's `earlier`: app_label.Model.",
        ) from exc
