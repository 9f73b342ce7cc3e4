"""What an error was raised from: Django and libraries put chains of their own before a driver's error."""

from __future__ import annotations

from collections.abc import Iterator


def causes_of(error: BaseException | None) -> Iterator[BaseException]:
    """
    Yield an error, what it was raised from, and so on; each once.

    SQLAlchemy keeps the driver's error in `orig`.
    """
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = getattr(error, "orig", None) or error.__cause__


def root_of(error: BaseException) -> BaseException:
    """Return what an error was raised from in the first place; itself if from nothing."""
    *_, root = causes_of(error)
    return root
