"""What a project says of its workers: `ACCORD["WORKERS"]`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from django.utils.module_loading import import_string

from accord import conf, extras
from accord.batches.running import LEASE
from accord.errors import ConfigurationError

TASK = "accord.batches.run"
EXTRA = ("celery", ("celery",))
_HINT = "See docs/reference/settings.md#workers."


@dataclass(frozen=True, kw_only=True)
class Workers:
    """
    The Celery workers of a project.

    Attributes:
        app: Dotted path of its Celery app.
        queue: Queue that our messages go to; empty for the app's own default.
        lease: Seconds after which a worker that isn't heard of is thought dead.
        patience: Seconds without any worker after which messages are sent anew.
        turn: Seconds after which a worker lets others have a turn; a warm shutdown takes as long at most.
    """

    app: str
    queue: str = ""
    lease: float = LEASE
    patience: float = 30.0
    turn: float = 60.0


def configured() -> Workers | None:
    """
    Read the setting; None where a project has none.

    Raises:
        ConfigurationError: A key is unknown, or a value is of the wrong type.
    """
    return parse(conf.load().workers)


def required() -> Workers:
    """
    Read the setting of a project that is to use its workers.

    Raises:
        ConfigurationError: There is none, or it can't be read.
    """
    found = configured()
    if found is None:
        raise ConfigurationError("ACCORD['WORKERS'] names no Celery app.", hint=_HINT)
    return found


def app_of(workers: Workers) -> Any:
    """
    Import the Celery app.

    Raises:
        ConfigurationError: Celery isn't installed, the path leads to nothing, or to something else.
    """
    # EXTRA is looked for above a module; this one stands above none.
    extras.require(f"{__name__}.celery", "ACCORD['WORKERS']")
    from celery import Celery

    try:
        found = import_string(workers.app)
    except ImportError as exc:
        raise ConfigurationError(f"ACCORD['WORKERS']['APP'] can't be imported: {exc}.", hint=_HINT) from exc
    if not isinstance(found, Celery):
        raise ConfigurationError(f"ACCORD['WORKERS']['APP'] is no Celery app: {workers.app}.", hint=_HINT)
    return found


def refuse_unfit() -> None:
    """
    Make sure that the workers of a project can be sent messages.

    Whether they find our task shows when they start: the app looks for tasks then, and runs all checks.

    Raises:
        ConfigurationError: The setting can't be read, or its app can't be loaded.
    """
    workers = configured()
    if workers is not None:
        app_of(workers)


def parse(raw: Mapping[str, Any]) -> Workers | None:
    """
    Check the setting and return it with types.

    Raises:
        ConfigurationError: As for :func:`configured`.
    """
    if not raw:
        return None
    known = {item.name.upper(): item.name for item in fields(Workers)}
    if unknown := sorted({*raw} - {*known}):
        text = f"ACCORD['WORKERS'] has no {', '.join(unknown)}."
        raise ConfigurationError(text, hint=f"Known keys: {', '.join(known)}.")
    if "APP" not in raw:
        raise ConfigurationError("ACCORD['WORKERS'] names no APP.", hint=_HINT)
    return Workers(**{known[key]: _typed(key, value) for key, value in raw.items()})


def _typed(key: str, value: object) -> Any:
    if key in ("APP", "QUEUE"):
        if isinstance(value, str) and value:
            return value
        raise ConfigurationError(f"ACCORD['WORKERS']['{key}'] must be a text that isn't empty.", hint=_HINT)
    if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
        return float(value)
    raise ConfigurationError(f"ACCORD['WORKERS']['{key}'] must be a number above 0.", hint=_HINT)
