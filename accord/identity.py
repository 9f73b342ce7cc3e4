"""
Which environment a store says that it belongs to, and which store it is.

The first run under the lease writes it into each store as a mark (:mod:`accord.seam.marks`). From then on
settings that describe another environment are refused: what is protected knows that it is.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from accord.errors import AccordError, ExitCode
from accord.seam.marks import KeepsMarks, MarkChanged, not_understood
from accord.seam.types import Lease

MARK = "environment"
"""Name of the mark."""


class ForeignEnvironment(AccordError):
    """A store says that it belongs to another environment than the settings describe. Nothing was changed."""

    code = "ACC-935"
    exit_code = ExitCode.AWAITING_APPROVAL
    http_status = 409


@dataclass(frozen=True, kw_only=True)
class Identity:
    """
    What a store says of itself.

    Attributes:
        environment: The environment that it belongs to.
        store_id: Stands for this store among all others: 32 hexadecimal digits, by chance.
    """

    environment: str
    store_id: str

    @property
    def text(self) -> str:
        """Return it as the mark holds it."""
        return json.dumps({"environment": self.environment, "id": self.store_id}, sort_keys=True)

    @classmethod
    def new(cls, environment: str) -> Identity:
        """Return what a store is that belongs to an environment from now on."""
        return cls(environment=environment, store_id=uuid.uuid4().hex)


def identity_of(store: object) -> Identity | None:
    """
    Ask a store what it says of itself. Nothing is created.

    Returns:
        None where it says nothing: it isn't marked yet, or keeps no marks.

    Raises:
        MarkNotUnderstood: What it says can't be read.
        StoreUnavailable: It can't be reached.
    """
    if not isinstance(store, KeepsMarks):
        return None
    text = store.read_mark(MARK)
    return None if text is None else _parsed(store.alias, text)


def identity_if_marked(store: object) -> Identity | None:
    """
    Ask as :func:`identity_of`, if it may be marked: a store that takes no steps is never connected to.

    Raises:
        MarkNotUnderstood, StoreUnavailable: As for :func:`identity_of`.
    """
    may = isinstance(store, KeepsMarks) and store.takes_marks()
    return identity_of(store) if may else None


def refuse_foreign(found: Mapping[str, Identity | None], environment: str) -> None:
    """
    Make sure that no store says that it belongs to another environment.

    Args:
        found: By alias, what each store says.
        environment: The one that the settings describe.

    Raises:
        ForeignEnvironment: One does.
    """
    for alias, own in foreign(found, environment).items():
        raise ForeignEnvironment(
            f"The store “{alias}” belongs to “{own.environment}”, and the settings describe “{environment}”. "
            "Nothing was changed.",
            hint="Correct ACCORD['ENVIRONMENT'] or the address of the store. If it belongs to "
            f"“{environment}” from now on, such as a copy: accord_environment change --reason TEXT",
        )


def foreign(found: Mapping[str, Identity | None], environment: str) -> Mapping[str, Identity]:
    """Return the stores that say that they belong to another environment, with what they say."""
    return {alias: own for alias, own in found.items() if own is not None and own.environment != environment}


def store_ids(found: Mapping[str, Identity | None]) -> Mapping[str, str]:
    """Return the ids of stores by alias; one that says nothing of itself has none."""
    return {alias: own.store_id for alias, own in sorted(found.items()) if own is not None}


def settle(store: object, environment: str, lease: Lease) -> Identity | None:
    """
    Write into a store that isn't marked yet which environment it belongs to. Killed, it is begun again.

    Args:
        store: One that said nothing.
        environment: The one that the settings describe.
        lease: The right to write.

    Returns:
        What it says of itself now; None of one that keeps no marks.

    Raises:
        ForeignEnvironment: Another one has marked it meanwhile.
        StaleFence: It has seen a later run.
        StoreUnavailable: It can't be reached.
    """
    if not (isinstance(store, KeepsMarks) and store.takes_marks()):
        return None
    new = Identity.new(environment)
    try:
        store.write_mark(MARK, new.text, lease, expected=None)
    except MarkChanged:
        own = identity_of(store)
        refuse_foreign({store.alias: own}, environment)
        return own
    return new


def _parsed(alias: str, text: str) -> Identity:
    try:
        told = json.loads(text)
    except ValueError:
        told = None
    parts = (told.get("environment"), told.get("id")) if isinstance(told, dict) else (None, None)
    environment, store_id = parts
    if isinstance(environment, str) and environment and isinstance(store_id, str) and store_id:
        own = Identity(environment=environment, store_id=store_id)
        if own.text == text:  # whoever says more says it in another way, and must not be written over
            return own
    raise not_understood(alias, MARK, "says something")
