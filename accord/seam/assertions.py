"""
Assertions of an author: `checks_before` and `checks_after` of a revision, in every store.

Each is a callable or, where the store speaks SQL, a query that gives the rows which break it. They only
look, so that they can be asked again at any time (`migrate_all --verify`).
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from accord.errors import AccordError, InvalidRevision, StepFailed
from accord.seam.types import Step, StepKey
from accord.words import counted

Test = str | Callable[[Any], object]
"""SQL, or a function of what the store hands over: a connection, a database, a client."""

_FORM = "Write it as a list, or as a dictionary by name, of functions"
_TITLE = 60  # characters of an assertion that has no name


class AssertionBroken(StepFailed):
    """An assertion of a step, `checks_before` or `checks_after`, does not hold."""

    code = "ACC-406"


class Moment(enum.StrEnum):
    """When an assertion has to hold; the value is the attribute that declares it."""

    BEFORE = "checks_before"
    AFTER = "checks_after"


@dataclass(frozen=True, kw_only=True)
class Assertion:
    """
    One thing that an author says has to hold.

    Attributes:
        name: Its name, the first line of the function's docstring, or the beginning of the query.
        test: How to ask.
    """

    name: str
    test: Test


@dataclass(frozen=True, kw_only=True)
class Broken:
    """
    An assertion that does not hold, or could not be asked.

    Attributes:
        key: The step that declares it.
        moment: When it had to hold.
        name: The assertion.
        text: What is wrong, in a few words.
    """

    key: StepKey
    moment: Moment
    name: str
    text: str


def declared(value: object, moment: Moment, place: str, *, sql: bool) -> tuple[Assertion, ...]:
    """
    Read what a revision declares.

    Args:
        value: The attribute's value.
        moment: Which attribute it is.
        place: The file, for the message.
        sql: Whether the store speaks SQL.

    Raises:
        InvalidRevision: It is neither a list nor a dictionary, or holds what can't be asked.
    """
    if isinstance(value, Mapping):
        named: list[tuple[object, object]] = list(value.items())
    elif isinstance(value, list | tuple):
        named = [(None, test) for test in value]
    else:
        raise _unusable(f"{place}: {moment} is a {type(value).__name__}.", sql=sql)
    return tuple(_assertion(name, test, moment, place, sql=sql) for name, test in named)


def _assertion(name: object, test: object, moment: Moment, place: str, *, sql: bool) -> Assertion:
    if not (callable(test) or (sql and isinstance(test, str) and test.strip())):
        raise _unusable(f"{place}: {moment} holds a {type(test).__name__}.", sql=sql)
    return Assertion(name=str(name) if name else _title(test), test=test)


def _unusable(message: str, *, sql: bool) -> InvalidRevision:
    return InvalidRevision(message, hint=_FORM + (" and SQL queries." if sql else "."))


def _title(test: Test) -> str:
    text = test if isinstance(test, str) else (getattr(test, "__doc__", "") or _name(test))
    line = " ".join(text.strip().split("\n\n", maxsplit=1)[0].split())
    return line if len(line) <= _TITLE else line[: _TITLE - 1] + "…"


def _name(test: object) -> str:
    return str(getattr(test, "__name__", type(test).__name__)).replace("_", " ")


def judged(assertion: Assertion, ask: Callable[[Test], object]) -> str:
    """
    Ask one assertion.

    Args:
        assertion: What to ask.
        ask: Hands a function what it takes, and gives of a query the rows.

    Returns:
        What is wrong; empty where it holds. What raises is wrong: it was not seen to hold.

    Raises:
        AccordError: The store can't be asked at all.
    """
    try:
        return _wrong(ask(assertion.test))
    except AccordError:
        raise
    except AssertionError as exc:
        return str(exc) or "it is false"
    except Exception as exc:  # noqa: BLE001 - an author's function may raise anything
        # The words of an error may quote a row or a document.
        return f"it could not be asked: {type(exc).__name__}"


def _wrong(answer: object) -> str:
    """Return what an answer says is wrong: a text, False, or the rows that break it."""
    if isinstance(answer, str):
        return answer
    if answer is None or answer is True:
        return ""
    if answer is False:
        return "it is false"
    if isinstance(answer, Iterable):
        count = sum(1 for _ in answer)
        return f"{counted(count, 'row')} break it" if count > 1 else "one row breaks it" if count else ""
    return f"it gave a {type(answer).__name__}; return None, True, False, a text, or what breaks it"


def broken(
    key: StepKey, moment: Moment, assertions: Iterable[Assertion], ask: Callable[[Test], object]
) -> Iterator[Broken]:
    """
    Yield those assertions of a step that don't hold.

    Args:
        key: The step.
        moment: When they have to hold.
        assertions: What to ask.
        ask: As for :func:`judged`.
    """
    for assertion in assertions:
        if wrong := judged(assertion, ask):
            yield Broken(key=key, moment=moment, name=assertion.name, text=wrong)


def refuse_broken(found: Iterable[Broken], state: str) -> None:
    """
    Raise when assertions don't hold.

    Args:
        found: Those that don't.
        state: What became of the step, as a sentence.

    Raises:
        AssertionBroken: There is one.
    """
    told = list(found)
    if told:
        which = "; ".join(f"“{item.name}”: {item.text}" for item in told)
        raise AssertionBroken(
            f"{told[0].key}: {told[0].moment} does not hold: {which}. {state}",
            hint="Mend the data or the step, then run the same command again. What applied steps promise, "
            "asks migrate_all --verify",
        )


@runtime_checkable
class Asserts(Protocol):
    """A store whose steps may carry assertions of their author: `checks_before` and `checks_after`."""

    def assertions(self, step: Step, moment: Moment) -> Sequence[Assertion]:
        """
        Return what a step declares for a moment; read from the file, the server is not touched.

        Raises:
            InvalidRevision: What the file declares is no assertion.
        """
        ...

    def broken(self, step: Step, moment: Moment) -> Iterator[Broken]:
        """
        Ask the server which assertions of a step don't hold; lazily, in their order. Nothing is changed.

        Raises:
            StoreUnavailable: The store can't be reached.
        """
        ...
