"""A lookup for sets of keys that are too big for a list of parameters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.core.exceptions import EmptyResultSet
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import CharField, Field, ForeignObject, IntegerField, TextField
from django.db.models.lookups import In
from django.db.models.sql.compiler import SQLCompiler

from accord import arrays

AMONG = "among"
JOINED = "joined"
_AS_THEY_ARE: tuple[tuple[type[Field[Any, Any]], type], ...] = (
    (IntegerField, int),
    (CharField, str),
    (TextField, str),
)
"""Fields that send values of a type as they are, however long the list is."""
_BIGGEST = 2**63 - 1  # of a bigint


class Values:
    """
    Values of a lookup, without expressions among them: Django looks into each item of a list for some, twice.

    Args:
        values: The values.
    """

    def __init__(self, values: Iterable[object]) -> None:
        self._values = tuple(values)
        self.types = {type(value) for value in self._values}

    def __iter__(self) -> Iterator[object]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


@ForeignObject.register_lookup
@Field.register_lookup
class Among(In):
    """`field__among=values`: what `in` finds, with all values as one array where the server has arrays."""

    lookup_name = AMONG

    def get_prep_lookup(self) -> Any:
        """Prepare the values; those that the field sends as they are need nothing."""
        if isinstance(self.rhs, Values) and _sends_as_they_are(self.lhs.output_field, self.rhs.types):
            return list(self.rhs)
        return super().get_prep_lookup()

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """Write the condition; a statement with an array is parsed as fast for one key as for a million."""
        column, parameters, cast, sent = self._parts(compiler, connection)
        return f"{column} = ANY(%s{cast})", [*parameters, sent]

    def _parts(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, list[Any], str, object]:
        """Return the column with its parameters, how the values are cast, and the values as they are sent."""
        column, parameters = self.process_lhs(compiler, connection)
        field, values = self.lhs.output_field, list(self.rhs)
        if not values:
            raise EmptyResultSet
        if not _sends_as_they_are(field, set(map(type, values))):
            values = [field.get_db_prep_value(value, connection, prepared=True) for value in values]
        return column, list(parameters), *_sent(values)


@Field.register_lookup
class Joined(Among):
    """
    `field__joined=values`: the same, as rows that the column is joined with.

    The server reads each item of an array while it plans, and joins rows without. Not below an “or”, where it
    would read the whole table.
    """

    lookup_name = JOINED

    def as_postgresql(self, compiler: SQLCompiler, connection: BaseDatabaseWrapper) -> tuple[str, list[Any]]:
        """Write the condition; values of a type that the driver has to name stay an array."""
        column, parameters, cast, sent = self._parts(compiler, connection)
        among = f"{column} IN (SELECT unnest(%s{cast}))" if cast else f"{column} = ANY(%s)"
        return among, [*parameters, sent]


def _sent(values: Sequence[Any]) -> tuple[str, object]:
    """Return numbers and texts as the text of an array, and how it is cast; others as the driver's list."""
    types = set(map(type, values))
    if types == {str}:
        return "::text[]", arrays.of_texts(values)
    if types == {int} and min(values) >= -_BIGGEST and max(values) <= _BIGGEST:
        return "::bigint[]", arrays.of_numbers(values)
    return "", values


def _sends_as_they_are(field: Field[Any, Any], types: set[type]) -> bool:
    """Return so of Django's own fields alone: a project's may write what it is given in another form."""
    target = getattr(field, "target_field", field)
    own = type(target).__module__ == Field.__module__
    return own and any(isinstance(target, kind) and types == {each} for kind, each in _AS_THEY_ARE)
