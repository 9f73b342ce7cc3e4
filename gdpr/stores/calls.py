"""Calls of a project's own code: with a time limit, and with errors that name no key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

from django.db import connections

from accord.errors import AccordError, StoreUnavailable
from gdpr.errors import ExternalFailed, ExternalNonsense

_Answer = TypeVar("_Answer")


def called(name: str, act: Callable[[], _Answer], timeout: float) -> _Answer:
    """
    Call what a project has written, in a thread of its own with database connections of its own.

    Args:
        name: What is called, for messages.
        act: Calls it. It may be called again while a call that took too long still runs.
        timeout: Seconds after which nobody waits for it any more.

    Raises:
        StoreUnavailable: It raised an `OSError`, as every connection that fails is, or took too long.
        ExternalFailed: It raised something else.
    """
    answers: SimpleQueue[tuple[_Answer | None, Exception | None]] = SimpleQueue()
    context = copy_context()
    Thread(target=context.run, args=(_answer, act, answers), name=f"external {name}", daemon=True).start()
    try:
        answer, error = answers.get(timeout=timeout)
    except Empty as exc:
        raise StoreUnavailable(
            f"{name} took more than {timeout:g} seconds. What it did stays done, and it is called again.",
            hint="See whether the place answers, or raise the entry's timeout.",
        ) from exc
    if error is not None:
        raise _translated(name, error) from error
    return answer  # type: ignore[return-value]  # there is no error, so this is what was given


def _answer(
    act: Callable[[], _Answer], answers: SimpleQueue[tuple[_Answer | None, Exception | None]]
) -> None:
    try:
        answers.put((act(), None))
    except Exception as exc:  # noqa: BLE001 - whoever waits is told
        answers.put((None, exc))
    finally:
        connections.close_all()


def _translated(name: str, error: Exception) -> AccordError:
    """Name the kind of an error only: its text may quote a person's keys."""
    if isinstance(error, AccordError):
        return error
    if isinstance(error, OSError):
        return StoreUnavailable(
            f"{name} can't reach its place ({type(error).__name__}).",
            hint="It is called again; see whether the place answers.",
        )
    return ExternalFailed(
        f"{name} raised {type(error).__name__}. What it did stays done, and it is called again.",
        hint="Correct the class. Where the place is only away, let it raise an OSError.",
    )


def ids_of(name: str, answer: object) -> list[str]:
    """
    Read the ids that a call gave, each once.

    Raises:
        ExternalNonsense: They are no texts.
    """
    if isinstance(answer, str | bytes) or not isinstance(answer, Iterable):
        raise _nonsense(name, answer, "an iterable of texts")
    found = list(dict.fromkeys(answer))
    wrong = next((one for one in found if not isinstance(one, str) or not one), None)
    if len(found) != sum(isinstance(one, str) and bool(one) for one in found):
        raise _nonsense(name, wrong, "texts that are not empty")
    return found


def count_of(name: str, answer: object, most: int) -> int:
    """
    Read how many deletions a call has taken.

    Raises:
        ExternalNonsense: It is no number of things, or more than it was given.
    """
    if isinstance(answer, bool) or not isinstance(answer, int) or not 0 <= answer <= most:
        raise _nonsense(name, answer, f"a number from 0 to {most}")
    return answer


def text_of(name: str, answer: object) -> str:
    """
    Read the name of a place.

    Raises:
        ExternalNonsense: It is no text, or an empty one.
    """
    if not isinstance(answer, str) or not answer.strip():
        raise _nonsense(name, answer, "a text that is not empty")
    return answer.strip()


def _nonsense(name: str, answer: object, wanted: str) -> ExternalNonsense:
    told = f"{answer}" if isinstance(answer, int) or answer is None else f"a {type(answer).__name__}"
    return ExternalNonsense(
        f"{name} gave {told}, not {wanted}.",
        hint="Correct the class; see “External places” in the reference of the data map.",
    )
