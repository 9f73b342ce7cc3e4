"""Where data of employees are; and of whom those are that the sample project declares for listeners alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from examples.streaming import privacy
from examples.streaming.documents import privacy as documents
from gdpr.privacy import Delete, Entry, Key, Subject

SUBJECT = Subject(model="staff.Employee", lookups=("email",), folds={"email": "email"})


def flat(declared: Any) -> Iterator[Entry]:
    """Yield entries out of lists of entries."""
    for one in declared:
        yield from [one] if isinstance(one, Entry) else flat(one)


def of_listeners(declared: Any) -> Any:
    """Say whose data the sample's entries hold; of some a link says it as well."""
    return [replace(one, of="listener") if one.locator else one for one in flat(declared)]


privacy.DATA_MAP = of_listeners(privacy.DATA_MAP)
documents.DATA_MAP = of_listeners(documents.DATA_MAP)
DATA_MAP = [
    Entry(id="employees", store="default", target="staff.Employee", locator=Key("id", int), action=Delete()),
    Entry(
        id="letters", store="default", target="staff.Letter", locator=Key("employee_id", int), action=Delete()
    ),
    Entry(
        id="fan-mail",
        store="default",
        target="staff.Letter",
        locator=Key("listener_id", int),
        action=Delete(),
    ),
    *[
        Entry(
            id=f"notes-of-{kind}s",
            store="mongodb",
            target="notes",
            locator=Key("person", int, where={"kind": kind}),
            action=Delete(),
            of=kind,
        )
        for kind in ("employee", "listener")
    ],
    *[
        Entry(
            id=f"badges-of-{kind}s",
            store="search",
            target="badges",
            locator=Key(f"{kind}_id", str),
            action=Delete(),
            of=kind,
        )
        for kind in ("employee", "listener")
    ],
]
