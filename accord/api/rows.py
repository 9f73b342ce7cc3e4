"""Rows as answers: one by its reference, and with its people by theirs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from django.db.models import Model
from rest_framework.exceptions import NotFound
from rest_framework.serializers import Serializer

from accord.api.people import references

Row = TypeVar("Row", bound=Model)


def by_reference(model: type[Row], reference: str) -> Row:
    """
    Return the row of a reference.

    Args:
        model: What it is, with a column `reference`.
        reference: The whole of it.

    Raises:
        NotFound: There is none.
    """
    row = model._default_manager.filter(reference=reference).first()
    if row is None:
        raise NotFound
    return row


def answered(
    serializer: type[Serializer[Any]], people: Sequence[str], shown: Any, *, many: bool = False
) -> Any:
    """
    Return what is answered of a row, or of several.

    Args:
        serializer: Writes a row; its context has `people`, references by account.
        people: The columns that hold accounts.
        shown: The row, or the rows.
        many: Whether there are several.
    """
    listed = shown if many else [shown]
    known = references(getattr(one, column) for one in listed for column in people)
    return serializer(shown, many=many, context={"people": known}).data
