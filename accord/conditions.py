"""Conditions of PostgreSQL that Django has no words for, to be used in check constraints."""

from __future__ import annotations

from typing import Any

from django.db.models import BooleanField, Func, Value
from django.db.models.expressions import Combinable
from django.utils.deconstruct import deconstructible


@deconstructible(path="accord.conditions.OnlyCounters")
class OnlyCounters(Func):
    """
    True for a JSON object of whole numbers under known names, and for nothing else.

    Args:
        field: The JSON field.
        names: Names that may occur, separated by commas.
        biggest: The highest number.
    """

    # Strict, because the lax mode looks into arrays and would let their numbers pass.
    template = (
        "(jsonb_typeof(%(field)s) = 'object'"
        " AND (%(field)s - string_to_array(%(names)s, ',')) = '{}'::jsonb"
        ' AND NOT jsonb_path_exists(%(field)s, \'strict $.* ? (@.type() != "number"'
        " || @ < 0 || @ > %(biggest)s || @.floor() != @)'))"
    )
    output_field = BooleanField()

    def __init__(self, field: str | Combinable, names: str, biggest: int, **extra: Any) -> None:
        super().__init__(field, Value(names), **extra)
        self.biggest = biggest

    def as_sql(
        self, compiler: Any, connection: Any, *args: Any, **kwargs: Any
    ) -> tuple[str, tuple[Any, ...]]:
        """Return the condition; the field stands in it more than once, its names once."""
        field, names = self.get_source_expressions()
        column, _ = compiler.compile(field)
        listed, parameters = compiler.compile(names)
        parts = {"field": column, "names": listed, "biggest": int(self.biggest)}
        return self.template % parts, tuple(parameters)
