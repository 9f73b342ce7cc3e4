"""
Errors of drivers, of Alembic and of people's own env.py, put into the suite's words once.

Values never travel: of an error about data only its kind and the names of table, column and
constraint are told, because PostgreSQL quotes the offending value.
"""

from __future__ import annotations

from collections.abc import Callable

from accord.causes import causes_of
from accord.connecting import Trouble, trouble_of
from accord.errors import (
    AccordError,
    ConflictingState,
    StepFailed,
    StoreError,
)
from accord.limits import limit_of
from accord.seam.types import BegunStep, Direction, Step
from accord.secrets.redact import first_line

_EXISTS = frozenset({"42P07", "42701", "42710", "42P06", "42723"})
_ABOUT_DATA = ("22", "23")
_TOO_LONG = "(SQLSTATE 22001)"


def translate(error: BaseException, alias: str, what: str = "") -> AccordError:
    """
    Return the suite's error for any error that came out of a driver or an env.py.

    Args:
        error: What was raised.
        alias: The store.
        what: The step that it happened in, for people; empty outside of steps.
    """
    if isinstance(error, AccordError):
        return error
    driver_error = _of_driver(error)
    code = _sqlstate(driver_error) if driver_error else ""
    if driver_error and (trouble := trouble_of(driver_error)):
        return _troubled(trouble, driver_error, alias, what)
    place = f"{what}: " if what else f"Store “{alias}”: "
    if code in _EXISTS:
        return ConflictingState(
            f"{place}{first_line(driver_error or error)}.",
            hint="Adopt it with --baseline if it is what the revision makes, or move it out of the way.",
        )
    text = _about_data(driver_error, code) if driver_error and code.startswith(_ABOUT_DATA) else _told(error)
    if driver_error and (limit := limit_of(driver_error)):
        kind = StepFailed if what else StoreError
        return kind(f"{place}the server {limit.says} ({first_line(driver_error)}).", hint=limit.hint)
    if not what:
        return StoreError(f"{place}{text}.", hint="Try the history alone: alembic current.")
    return StepFailed(
        f"{place}{text}.", hint="Correct the revision, then run again; its transaction was rolled back."
    )


def _of_driver(error: BaseException) -> BaseException | None:
    """Find the DBAPI's error in a chain of errors."""
    return next((each for each in causes_of(error) if _is_dbapi(each)), None)


def _is_dbapi(error: BaseException) -> bool:
    module = type(error).__module__
    return module.startswith(("psycopg2", "psycopg.", "asyncpg", "pg8000")) or hasattr(error, "pgcode")


def _sqlstate(error: BaseException) -> str:
    return str(getattr(error, "pgcode", None) or getattr(error, "sqlstate", None) or "")


def _troubled(trouble: Trouble, error: BaseException, alias: str, what: str) -> AccordError:
    """Make the error of a server that doesn't let us work; one that answers refuses a step, not the run."""
    where = f"the URL of the store “{alias}”"
    if trouble.refused and what:
        hint = trouble.hint.format(where=where)
        return StepFailed(f"{what}: the server {trouble.says} ({first_line(error)}).", hint=hint)
    return trouble.error(f"The PostgreSQL of the store “{alias}”", alias, error, where=where)


def _about_data(error: BaseException, code: str) -> str:
    diagnosis = getattr(error, "diag", None)
    names = [getattr(diagnosis, f"{kind}_name", None) for kind in ("table", "column", "constraint")]
    where = ", ".join(name for name in names if name)
    return f"{type(error).__name__} (SQLSTATE {code})" + (f" at {where}" if where else "")


def _told(error: BaseException) -> str:
    driver_error = _of_driver(error)
    kind = "" if driver_error else f"{type(error).__name__}: "
    return f"{kind}{first_line(driver_error or error)}"


def explained(error: AccordError, step: Step, *, begun: bool, width: Callable[[], int | None]) -> AccordError:
    """
    Return the error of a revision with what is known of its cause.

    Args:
        error: What came out of the run.
        step: The revision.
        begun: Whether a part of it stayed.
        width: Asks how long an id Alembic's table takes.
    """
    most = width() if _TOO_LONG in error.message else None
    if most is not None and len(step.key.name) > most:
        return StepFailed(
            f"{step.key}: its id has {len(step.key.name)} characters, and Alembic's table takes {most}.",
            hint="Give the revision a shorter id, or widen version_num of that table in one before it. Its "
            "transaction was rolled back.",
        )
    if not begun:
        return error
    return StepFailed(
        error.message,
        hint="A part of the revision ran outside of its transaction and stayed. Let its operations say "
        "if_not_exists or if_exists and run again, or finish by hand and adopt it with --baseline.",
    )


def refuse_begun(step: Step, begun: BegunStep | None) -> None:
    """
    Refuse to go back over a revision that left its transaction and did not end: how far it came nobody knows.

    Args:
        step: The revision.
        begun: What is on record of its being begun.

    Raises:
        StepFailed: It was begun.
    """
    if begun is not None and begun.direction is Direction.APPLY:
        raise StepFailed(
            f"A part of {step.key} ran outside of its transaction and stayed; how much isn't known.",
            hint="Apply it to its end and revert it then; or undo by hand what stands, and strike the "
            f'entry: migrate_all --forget {step.key} --reason "WHY"',
        )
