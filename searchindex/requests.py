"""Requests as data: what is sent, and what a dry run shows, are one text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from accord.seam.types import Language, Statement


@dataclass(frozen=True)
class Request:
    """
    A request to the server.

    Attributes:
        method: HTTP method.
        path: Path with query; see :func:`searchindex.transport.at`.
        body: What is written as JSON; None for nothing.
        headers: Further headers; people are not shown them.
    """

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] | None = None

    def statement(self) -> Statement:
        """Render it for people; a name that only the server knows stands there as it was put."""
        shown = "" if self.body is None else "\n" + json.dumps(self.body, indent=2, ensure_ascii=False)
        return Statement(text=f"{self.method} {unquote(self.path)}{shown}", language=Language.HTTP)


def opaque(text: str) -> Statement:
    """Make a statement of a sentence about something that can't be shown as a request."""
    return Statement(text=text, language=Language.HTTP, opaque=True)


def behind(alias: str) -> str:
    """Name the index behind an alias where no server was asked which one it is."""
    return f"<index behind {alias}>"
