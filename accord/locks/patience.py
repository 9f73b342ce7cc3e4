"""
How long one try stands in the queue for a lock, how long we stay out of it afterwards, and until when. Pure.

PostgreSQL serves a queue in order: behind an `ALTER TABLE` that waits for one open reader, whoever comes
later waits, readers too. So the application is held up for as long as we stand there, whatever we want to do.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar

from accord import conf
from accord.connecting import code_of
from accord.errors import ConfigurationError, InvalidRevision
from accord.retry import Backoff

_KEPT_OUT = frozenset({"55P03", "40P01"})
_HINT = "See docs/reference/policy.md#locks."
_WAIVER = (
    'Write locks = {"budget": 3600, "reason": "..."}, in seconds; see docs/howto/change-a-large-table.md.'
)
OFF_WORD = "off"


class Behind(enum.Enum):
    """Who waits behind a statement that waits for a lock itself."""

    EVERYBODY = enum.auto()
    """It asks for a lock that keeps others out: whoever comes later queues behind it."""
    NOBODY = enum.auto()
    """Its lock goes with reading and writing (`CREATE INDEX CONCURRENTLY`): it may wait for hours."""


@dataclass(frozen=True, kw_only=True)
class Patience:
    """
    How long a step waits for locks.

    Attributes:
        lock_timeout: Seconds that one try stands in the queue at most: so long can the application be held
            up. 0 sets no limit of ours, and repeats nothing.
        once: Seconds for each statement of what can't be tried again: the application can be held up for as
            long, but a person doesn't have to come for every queue.
        budget: Seconds of wall time in which tries are made, pauses included.
        reason: Why a step has a patience of its own; empty for that of the environment.
    """

    lock_timeout: float = 0.1
    once: float = 2.0
    budget: float = 300.0
    reason: str = ""

    FIRST: ClassVar[float] = 0.1
    """Seconds of the first try: most queues are short, and then nobody need notice us at all."""
    BACKOFF: ClassVar[Backoff] = Backoff(first=0.05, factor=1.5, most=2.0, spread=0.5)
    """Short tries are many; who stands briefly may come again soon, and leaves most of it to others."""

    @property
    def is_off(self) -> bool:
        """Return whether the server's own settings decide."""
        return self.lock_timeout <= 0

    def timeout(self, attempt: int) -> float:
        """
        Return the seconds that a try stands in the queue.

        Args:
            attempt: Its number, from 0. Each stands twice as long as the last, where `lock_timeout`
                allows that.
        """
        return min(self.FIRST * 2.0 ** min(attempt, 32), self.lock_timeout)

    def pause(self, attempt: int, spent: float, chance: float) -> float | None:
        """
        Return the seconds to stay out of the queue after a try.

        Args:
            attempt: Its number, from 0.
            spent: Seconds since the first one began.
            chance: A number from 0 to 1.

        Returns:
            None when the budget is used up. After the first try there is always one more: during that
            one, who is in the way can be seen.
        """
        left = max(self.budget - spent, 0.0)
        return min(self.BACKOFF.pause(attempt, chance), left) if left or not attempt else None


USUAL = Patience()
OFF = Patience(lock_timeout=0.0, budget=0.0)


def is_kept_out(error: BaseException) -> bool:
    """Return whether a statement failed because of others' locks, so that the same one may pass later."""
    return code_of(error) in _KEPT_OUT


def of_environment(settings: conf.AccordSettings) -> Patience:
    """
    Return the patience that the policy of an installation's environment asks for.

    Raises:
        ConfigurationError: It can't be read.
    """
    entry = settings.policy.get(settings.environment)
    if not isinstance(entry, Mapping) or "locks" not in entry:
        return USUAL
    return parse(entry["locks"], f"ACCORD['POLICY']['{settings.environment}']['locks']")


def parse(value: object, place: str) -> Patience:
    """
    Read the patience of an environment.

    Args:
        value: `"off"`, or a dictionary of seconds.
        place: Where it stands, for messages.

    Raises:
        ConfigurationError: It is neither.
    """
    if value == OFF_WORD:
        return OFF
    if not isinstance(value, Mapping) or not {*value} <= _NUMBERS:
        raise ConfigurationError(f"{place} must be 'off' or name {_NAMED}, in seconds.", hint=_HINT)
    return Patience(**_given(value, place))


def parse_waiver(value: object, path: str, usual: Patience = USUAL) -> Patience:
    """
    Read what a step asks for itself, over the environment's patience.

    Args:
        value: A dictionary of seconds, with a reason.
        path: File of the step, for messages.
        usual: The environment's.

    Raises:
        InvalidRevision: It can't be read, or gives no reason.
    """
    reason = str(value.get("reason") or "").strip() if isinstance(value, Mapping) else ""
    if not isinstance(value, Mapping) or not reason:
        raise InvalidRevision(f"{path}: locks must be a dictionary with a 'reason'.", hint=_WAIVER)
    seconds = {str(name): each for name, each in value.items() if name != "reason"}
    try:
        parse(seconds, f"{path}: locks")
    except ConfigurationError as exc:
        raise InvalidRevision(exc.message, hint=_WAIVER) from exc
    return replace(usual, **_given(seconds, path), reason=reason)


def told(value: object, path: str) -> str:
    """
    Write what a step asks for itself, for who reads the plan; empty where it asks for nothing.

    Args:
        value: As in :func:`parse_waiver`, or None.
        path: File of the step, for messages.

    Raises:
        InvalidRevision: It can't be read, or gives no reason.
    """
    if value is None:
        return ""
    asked = parse_waiver(value, path)
    words = {
        "lock_timeout": "stands in a queue for {} s",
        "once": "stands there for {} s where it can't be tried again",
        "budget": "tries for {} s",
    }
    named = [text.format(f"{getattr(asked, name):g}") for name, text in words.items() if name in dict(value)]  # type: ignore[call-overload]
    return f"{' and '.join(named) or 'as any step'}: {asked.reason}"


def _given(value: Mapping[Any, object], place: str) -> dict[str, Any]:
    """Read seconds by name; who says how long a try may stand says it of what is tried once, too."""
    given = {str(name): _seconds(seconds, f"{place}['{name}']") for name, seconds in value.items()}
    return {"once": given["lock_timeout"], **given} if "lock_timeout" in given else given


def _seconds(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
        raise ConfigurationError(f"{place} must be a number of seconds above 0.", hint=_HINT)
    return float(value)


_NUMBERS = frozenset(item.name for item in fields(Patience)) - {"reason"}
_NAMED = ", ".join(sorted(_NUMBERS))
