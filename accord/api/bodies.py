"""What is sent: JSON of a bounded size, and fields that don't repeat what they refuse."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser

from accord.api.refusals import Refused

LARGEST = 64 * 1024
"""Bytes of a body."""


class Body(JSONParser):
    """Reads JSON, up to a size that nothing here needs."""

    def parse(
        self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """
        Read a body.

        Raises:
            Refused: It is too large.
            ParseError: It is no JSON, or nested without end.
        """
        content = stream.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise Refused
        try:
            return super().parse(BytesIO(content), media_type, parser_context)
        except (RecursionError, LookupError) as exc:
            raise ParseError from exc


class Sent(serializers.Serializer):
    """A body that takes the fields it declares and no others, so that a misspelt one isn't lost."""

    def to_internal_value(self, data: Any) -> Any:
        """
        Check the fields.

        Raises:
            ValidationError: One of them isn't known, or doesn't fit.
        """
        if isinstance(data, Mapping) and set(data) - set(self.fields):
            known = ", ".join(self.fields)
            raise serializers.ValidationError(
                {"non_field_errors": [f"A field isn't known. Known: {known or 'none'}."]}
            )
        return super().to_internal_value(data)


class Word(serializers.ChoiceField):
    """One word out of a list."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, **options)
        words = ", ".join(str(word) for word in self.choices)
        self.error_messages["invalid_choice"] = f"This has to be one of: {words}."


class Text(serializers.CharField):
    """A text, sent as a text: a number or a truth value is no text."""

    def to_internal_value(self, data: Any) -> Any:
        """
        Check the text.

        Raises:
            ValidationError: It isn't one.
        """
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)
