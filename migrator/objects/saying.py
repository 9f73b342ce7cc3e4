"""What a server said about a file, with the line that it is about."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DatabaseError

from accord.causes import root_of
from accord.connecting import code_of, trouble_of
from accord.errors import StepFailed
from accord.locks.patience import is_kept_out
from accord.secrets.redact import first_line
from migrator.objects.source import ObjectSource

_ABOVE = "2BP01"
_MISSING = frozenset({"42P01", "42883", "42703"})
_ROLE = "42704"


@contextmanager
def failed(source: ObjectSource) -> Iterator[None]:
    """
    Name file and line where a server refuses a text; a queue, or a server that went away, is left as it is.

    Raises:
        StepFailed: It refused the text.
    """
    try:
        yield
    except DatabaseError as exc:
        trouble = trouble_of(exc)
        if is_kept_out(exc) or (trouble is not None and not trouble.refused):
            raise
        raise StepFailed(
            f"{source.path}{_line(source, exc)}: the server refused the {source.words}: {_said(exc)}.",
            hint=_hint(exc),
        ) from exc


def _line(source: ObjectSource, error: Exception) -> str:
    """Count the lines up to the place that the server names, in what was sent."""
    position = getattr(getattr(root_of(error), "diag", None), "statement_position", None)
    return f", line {source.text[: int(position) - 1].count(chr(10)) + 1}" if position else ""


def _said(error: Exception) -> str:
    diagnosis = getattr(root_of(error), "diag", None)
    detail = getattr(diagnosis, "message_detail", None) if code_of(root_of(error)) == _ABOVE else None
    said = first_line(error)
    return f"{said} ({'; '.join(detail.splitlines())})" if detail else said


def _hint(error: Exception) -> str:
    code = code_of(root_of(error))
    if code == _ABOVE:
        return "Nothing is dropped that stands on it. Give that a change of its own first, then run again."
    if code in _MISSING:
        return "If another file makes it, say “-- depends: FILE”; if a migration does, “-- after: APP.NAME”."
    if code == _ROLE:
        return "Roles and types are made by nobody's file here: make them first, or name others."
    return "Correct the file, then run the same command again. Nothing of it stands."
