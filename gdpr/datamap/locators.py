"""
Locators: how an entry of the data map finds one person's data.

Each names the type of the key it compares with, because stores differ in what they take
for equal. `by` chooses one of the subject's keys; the primary one unless given.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as field_of_dataclass

from gdpr.datamap.keys import KeyType, key_type


@dataclass(frozen=True)
class Key:
    """
    A field or column that holds the key.

    Attributes:
        field: Name of the field.
        type: Type of the stored key.
        by: Which of the subject's keys.
        where: Further fields to the values that they must have; in tables and collections.
        fold: Which spellings of a text are the same key (`exact`, `form`, `case`, `email`); as the subject
            declares it for that key unless given.
    """

    field: str
    type: object
    by: str = ""
    where: Mapping[str, str | int] = field_of_dataclass(default_factory=dict)
    fold: str = ""


@dataclass(frozen=True)
class Path:
    """
    A key inside of a nested object: `author.id`.

    Attributes:
        path: Dotted path; in PostgreSQL it begins with a JSON column.
        type: Type of the stored key.
        by: Which of the subject's keys.
        fold: Which spellings of a text are the same key; see :class:`Key`.
    """

    path: str
    type: object
    by: str = ""
    fold: str = ""


@dataclass(frozen=True)
class Array:
    """
    Elements of an array that hold the key: `comments[].author_id`, or `members[]` for bare keys.

    Attributes:
        path: Path to the array, `[]`, and the path to the key within an element.
        type: Type of the stored key.
        by: Which of the subject's keys.
        fold: Which spellings of a text are the same key; see :class:`Key`.
    """

    path: str
    type: object
    by: str = ""
    fold: str = ""

    @property
    def array(self) -> str:
        """Path to the array itself."""
        return self.path.partition("[]")[0]

    @property
    def inner(self) -> str:
        """Path to the key within an element; empty when the elements are the keys."""
        return self.path.partition("[]")[2].lstrip(".")


@dataclass(frozen=True)
class Through:
    """
    A walk over foreign keys, as Django writes it: `order__listener_id`.

    Attributes:
        path: Lookup from the target to the field that holds the key.
        type: Type of that field.
        by: Which of the subject's keys.
        fold: Which spellings of a text are the same key; see :class:`Key`.
    """

    path: str
    type: object
    by: str = ""
    fold: str = ""


@dataclass(frozen=True)
class Rows:
    """
    A field that refers to rows of another entry, in whichever store; they are collected beforehand.

    Attributes:
        entry: Id of the other entry.
        field: Field of this target that holds that entry's primary keys.
        type: Type in which they are stored here.
        where: Further fields to the values that they must have; in tables and collections.
    """

    entry: str
    field: str
    type: object
    where: Mapping[str, str | int] = field_of_dataclass(default_factory=dict)


@dataclass(frozen=True)
class Generic:
    """
    A copy kept by content type and key, as Django's admin log and auditlog keep it.

    Attributes:
        of: Id of each entry whose rows are logged, to the label of its model.
        content_type: Foreign key to the content type.
        object_id: Field with the key as a text.
    """

    of: Mapping[str, str]
    content_type: str = "content_type"
    object_id: str = "object_id"


@dataclass(frozen=True)
class Sessions:
    """
    Django's sessions of users that another entry finds. Their content is signed text, so all are read.

    Attributes:
        entry: Id of the entry that finds the users.
        key: Name within a session that holds the user's key.
    """

    entry: str
    key: str = "_auth_user_id"


@dataclass(frozen=True)
class External:
    """
    Whatever the project's own code finds, where no store of Accord's is: files, a cache, a processor's API.

    Attributes:
        place: Dotted path of a class as :class:`gdpr.datamap.externals.ExternalPlace` describes it.
        type: Type in which the class is given the keys.
        by: Which of the subject's keys.
        timeout: Seconds that one call may take.
    """

    place: str
    type: object
    by: str = ""
    timeout: float = 30.0


@dataclass(frozen=True)
class AnyOf:
    """
    Whatever one of several locators finds.

    Attributes:
        locators: Which.
    """

    locators: tuple[Key | Path | Array | Through | Rows | Generic, ...]


Keyed = Key | Path | Array | Through
Simple = Key | Path | Array | Through | Rows | Generic
Locator = Simple | Sessions | External | AnyOf


def needs(locator: Locator | None) -> tuple[str, ...]:
    """Return the ids of the entries whose rows must be collected before this locator can look."""
    if isinstance(locator, Rows | Sessions):
        return (locator.entry,)
    if isinstance(locator, Generic):
        return tuple(locator.of)
    if isinstance(locator, AnyOf):
        return tuple(dict.fromkeys(entry for part in locator.locators for entry in needs(part)))
    return ()


def reusable(locator: Locator | None, primary: str) -> bool:
    """
    Return whether a locator goes by a key that somebody else may have one day, as an e-mail address.

    Args:
        locator: Of an entry.
        primary: Name of the key that stands for one person for ever.
    """
    return any(isinstance(part, Keyed | External) and part.by not in ("", primary) for part in parts(locator))


def parts(locator: Locator | None) -> tuple[Simple | Sessions | External, ...]:
    """Return the locators that one consists of; none for None."""
    if locator is None:
        return ()
    return locator.locators if isinstance(locator, AnyOf) else (locator,)


def with_folds(locator: Locator | None, fold_of: Callable[[str], str]) -> Locator | None:
    """
    Return a locator whose keys are compared as the subject declares it, where it says nothing itself.

    Args:
        locator: Of an entry.
        fold_of: Gives the folding of the subject's key of a name.
    """
    if isinstance(locator, AnyOf):
        # Sessions are never one of several.
        return AnyOf(tuple(with_folds(part, fold_of) for part in locator.locators))  # type: ignore[misc]  # see above
    if not isinstance(locator, Keyed) or locator.fold or key_type(locator.type) is not KeyType.STR:
        return locator
    return replace(locator, fold=fold_of(locator.by))
