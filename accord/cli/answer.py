"""What a command answers: once for people, once for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accord.errors import AccordError, ExitCode


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    An answer.

    Attributes:
        document: For programs, with its `schema`.
        lines: For people; taken once.
        code: With which the command leaves.
    """

    document: Mapping[str, Any]
    lines: Iterable[str]
    code: ExitCode = ExitCode.DONE

    def written(self, *, as_json: bool) -> Iterable[str]:
        """Return what stands on standard output, line by line."""
        return [json.dumps(self.document, indent=2, ensure_ascii=False)] if as_json else self.lines


def error_document(error: AccordError) -> dict[str, Any]:
    """Describe an error for JSON answers."""
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint,
        "exit_code": int(error.exit_code),
    }
