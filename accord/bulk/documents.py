"""What a copy makes of a row: names, constants, a function of the project's, and an `_id` of its key."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

from accord.bulk.copies import ID, Copy
from accord.bulk.errors import CopyRefused
from accord.errors import ConfigurationError

Row = Mapping[str, Any]
Made = Callable[[dict[str, Any]], Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Maker:
    """
    Makes documents.

    Attributes:
        copy: What is declared.
        columns: Columns that go into documents.
        key: Columns that make the `_id`.
        function: What a document goes through; None for nothing.
    """

    copy: Copy
    columns: Sequence[str]
    key: Sequence[str]
    function: Made | None = None

    def line(self, row: Row) -> bytes:
        """
        Write the document of a row as a line of JSON.

        Raises:
            CopyRefused: The function fails, or what it returns is no document. No value is told.
        """
        own = self.key_of(row)
        found = {self.copy.names.get(name, name): row[name] for name in self.columns if name in row}
        made = self._changed({**found, **self.copy.constants})
        if ID in made and made[ID] != own:
            raise CopyRefused(
                f"{self.copy.row} gives a document another {ID}.", hint="Leave that to the key."
            )
        return self._written({ID: own, **made})

    def key_of(self, row: Row) -> Any:
        """
        Return the `_id` that a row gets.

        Raises:
            CopyRefused: A column of the key is empty.
        """
        values = [row.get(name) for name in self.key]
        if None in values:
            names = ", ".join(self.key)
            raise CopyRefused(
                f"A row of {self.copy.source.name} has no {names}, which makes the {ID} of its document.",
                hint="Let the query leave such rows out, or declare another key.",
            )
        return values[0] if len(values) == 1 else "/".join(map(_escaped, values))

    def _changed(self, document: dict[str, Any]) -> Mapping[str, Any]:
        if self.function is None:
            return document
        try:
            return dict(self.function(document))
        except Exception as exc:
            # What it says may be a value of the row.
            raise CopyRefused(
                f"{self.copy.row} fails with {type(exc).__name__}.", hint="Correct it, then run this again."
            ) from exc

    def _written(self, document: Mapping[str, Any]) -> bytes:
        try:
            text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        except (TypeError, ValueError) as exc:
            raise CopyRefused(
                f"What {self.copy.row} returns is no JSON.",
                hint="Let it return texts, numbers, lists, mappings.",
            ) from exc
        return f"{text}\n".encode(errors="surrogatepass")


def function_of(copy: Copy) -> Made | None:
    """
    Import the function of a copy; None where it has none.

    Raises:
        ConfigurationError: There is nothing at its path that can be called.
    """
    if not copy.row:
        return None
    try:
        found: Made = import_string(copy.row)
    except ImportError as exc:
        raise ConfigurationError(
            f"Copy({copy.name!r}): {copy.row} can't be imported: {exc}.", hint="Correct its row."
        ) from exc
    if not callable(found):
        raise ConfigurationError(
            f"Copy({copy.name!r}): {copy.row} can't be called.", hint="Name a function with row."
        )
    return found


def _escaped(value: object) -> str:
    """Write a part of a key, so that no two keys become one."""
    return str(value).replace("%", "%25").replace("/", "%2F")
