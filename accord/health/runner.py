"""
Runtime checks: what an operator of a project needs to know, found out side by side.

A check is a name and a function that yields findings. Any installed app adds its own by a
module `health_checks.py` with a function `checks()`; no app has to import another. All checks
run at the same time, each in a daemon thread: one that hangs becomes a finding of its own
(`unknown`) when its time is over, and holds up neither the others nor the end of the process.

No finding holds a secret, personal data or a stack trace.
"""

from __future__ import annotations

import enum
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from queue import Empty, SimpleQueue
from threading import Thread

from django.apps import AppConfig, apps
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.utils.module_loading import module_has_submodule

from accord import db
from accord.errors import AccordError, ConfigurationError, UsageError
from accord.secrets.redact import first_line, redact

MODULE = "health_checks"
TIMEOUT = 10.0
"""Seconds that a check may take by default: longer than a store may take to be called away."""

_log = logging.getLogger("accord.health")


class Level(enum.StrEnum):
    """How bad it is."""

    OK = "ok"
    """As it should be."""
    WARN = "warn"
    """An operator should look at it in working hours."""
    CRITICAL = "critical"
    """An operator has to act now."""
    UNKNOWN = "unknown"
    """It could not be told."""

    @property
    def code(self) -> int:
        """Return the number that monitoring systems know it by, and that `health_check` exits with."""
        return _CODES[self]


_CODES = {Level.OK: 0, Level.WARN: 1, Level.CRITICAL: 2, Level.UNKNOWN: 3}
# What can't be told may be anything, so it weighs more than a warning; a known outage weighs more.
_WEIGHT = (Level.OK, Level.WARN, Level.UNKNOWN, Level.CRITICAL)


def worst(levels: Iterable[Level]) -> Level:
    """Return the heaviest level: ok, warn, unknown, critical; ok when there is none."""
    return max(levels, key=_WEIGHT.index, default=Level.OK)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """
    One thing that was looked at.

    Attributes:
        name: Name of its check, or that and a dot and more; the same in every run.
        level: How bad it is.
        message: The fact, a sentence.
        value: The number that the level was judged by.
        unit: What the number counts, as Prometheus names it: `seconds`, `bytes`; empty for things.
        threshold: Where the number begins to be the next level.
        age: Seconds since the oldest thing that the finding is about.
        hint: The next move; empty when nothing is to be done.
        ready: False when a server should get no requests because of it, whatever its level.
    """

    name: str
    level: Level
    message: str
    value: float | None = None
    unit: str = ""
    threshold: float | None = None
    age: float | None = None
    hint: str = ""
    ready: bool = True


@dataclass(frozen=True, kw_only=True)
class Check:
    """
    A check.

    Attributes:
        name: Small letters, digits, `_`, and dots between parts: `store.default`.
        look: Finds out; called in a thread of its own, with database connections of its own. An
            :class:`~accord.errors.AccordError` that it raises becomes a finding `unknown`.
        readiness: Whether a server without it should get no requests (`/readyz`).
        parts: Names of its findings where it has several: its own name, a dot and more. Each can be
            asked for alone.
        last: Tells what was found when it was last looked, of a check that keeps that, without asking
            any store; `/healthz` shows it.
    """

    name: str
    look: Callable[[], Iterable[Finding]]
    readiness: bool = False
    parts: Sequence[str] = ()
    last: Callable[[], Iterable[Finding]] | None = None


def last_looks(checks: Iterable[Check]) -> Sequence[Check]:
    """Return the checks that keep what they found, each as one that only tells that."""
    return [replace(check, look=check.last) for check in checks if check.last is not None]


@dataclass(frozen=True, kw_only=True)
class HealthReport:
    """
    What all the checks found.

    Attributes:
        findings: In the order of the checks.
        seconds: How long it took.
        hung: Names of the checks that had not ended when their time was over.
    """

    findings: tuple[Finding, ...]
    seconds: float = 0.0
    hung: tuple[str, ...] = ()

    @property
    def level(self) -> Level:
        """Return the heaviest level of all."""
        return worst(finding.level for finding in self.findings)

    @property
    def ready(self) -> bool:
        """Return whether nothing speaks against sending requests."""
        return all(found.ready and found.level in (Level.OK, Level.WARN) for found in self.findings)

    def exit_code(self, fail_on: Level = Level.WARN) -> int:
        """
        Return the exit code: 0 ok, 1 warn, 2 critical, 3 unknown.

        Args:
            fail_on: With `critical`, warnings exit with 0; what is unknown never does.
        """
        passes = self.level is Level.WARN and fail_on is not Level.WARN
        return 0 if passes else self.level.code


# --- which checks there are --------------------------------------------------------------------------


def discover() -> Sequence[Check]:
    """
    Collect the checks of every installed app, in the order of `INSTALLED_APPS`.

    An app whose module can't be loaded is itself a check that says so.

    Raises:
        ConfigurationError: Two checks have the same name.
    """
    found: dict[str, Check] = {}
    for config in apps.get_app_configs():
        for check in _of_app(config):
            if check.name in found:
                raise ConfigurationError(
                    f"There are two health checks “{check.name}”; the second is of “{config.label}”.",
                    hint=f"Give one of the two another name in its {MODULE}.py.",
                )
            found[check.name] = check
    return tuple(found.values())


def select(checks: Sequence[Check], names: Sequence[str]) -> Sequence[Check]:
    """
    Return the checks that are asked for, each narrowed to the findings that are.

    Args:
        checks: All of them.
        names: Whole names of checks or findings, or their beginnings up to a dot; none means all.

    Raises:
        UsageError: A name fits no check and no finding.
    """
    for name in names:
        if not any(_narrowed(check, [name]) for check in checks):
            known = ", ".join(part for check in checks for part in check.parts or (check.name,))
            raise UsageError(f"There is no health check “{name}”.", hint=f"Checks: {known}.")
    narrowed = (_narrowed(check, names) if names else check for check in checks)
    return [check for check in narrowed if check is not None]


def _narrowed(check: Check, names: Sequence[str]) -> Check | None:
    """Return the check as far as the names ask for it, None where they don't."""
    if _fits(check.name, names):
        return check
    parts = [part for part in check.parts if _fits(part, names)]
    return replace(check, look=partial(_look_for, parts, check), parts=parts) if parts else None


def _fits(whole: str, names: Iterable[str]) -> bool:
    return any(f"{whole}.".startswith(f"{name}.") for name in names)


def _look_for(parts: Sequence[str], check: Check) -> Iterable[Finding]:
    """Yield the findings of some parts; one that bears the name of the check is about all of them."""
    return (found for found in check.look() if found.name in (check.name, *parts))


def _of_app(config: AppConfig) -> Iterable[Check]:
    if config.module is None or not module_has_submodule(config.module, MODULE):
        return ()
    try:
        checks: Iterable[Check] = import_module(f"{config.name}.{MODULE}").checks()
        return tuple(checks)
    except Exception as exc:  # noqa: BLE001 - a broken module of one app must not blind the others
        return (Check(name=config.label, look=partial(_fail, exc)),)


def _fail(error: Exception) -> Iterable[Finding]:
    raise error


# --- running them ------------------------------------------------------------------------------------


def run_checks(checks: Iterable[Check], *, timeout: float = TIMEOUT) -> HealthReport:
    """
    Run checks side by side.

    Args:
        checks: The checks.
        timeout: Seconds that each may take; all begin at once, so that all take no longer either.
    """
    started = time.monotonic()
    running = [_Running(check) for check in checks]
    findings = [found for one in running for found in one.result(started + timeout, timeout)]
    return HealthReport(
        findings=tuple(findings),
        seconds=time.monotonic() - started,
        hung=tuple(one.name for one in running if one.is_hung),
    )


_HANGS = "See what it asks: the server may be overloaded, frozen, or cut off by a firewall."
_left_behind: dict[str, Thread] = {}
"""Threads of checks that hung, so that a server that is asked again and again doesn't collect them."""


class _Running:
    """A check under way."""

    def __init__(self, check: Check) -> None:
        self.name = check.name
        self.is_hung = False
        self._check = check
        # An answer is taken or it is late, never both.
        self._answers: SimpleQueue[Sequence[Finding]] = SimpleQueue()
        self._thread = Thread(target=self._look, name=f"health {self.name}", daemon=True)
        former = _left_behind.get(self.name)
        self._is_blocked = former is not None and former.is_alive()
        if not self._is_blocked:
            self._thread.start()

    def result(self, deadline: float, timeout: float) -> Sequence[Finding]:
        """Wait for what the check finds, at most until the deadline."""
        if self._is_blocked:
            self.is_hung = True
            return [_unknown(self.name, "Has not answered since it was last asked.", _HANGS)]
        try:
            return self._answers.get(timeout=max(deadline - time.monotonic(), 0))
        except Empty:
            self.is_hung = True
            _left_behind[self.name] = self._thread
            return [_unknown(self.name, f"Did not answer within {timeout:g} s.", _HANGS)]

    def _look(self) -> None:
        try:
            self._answers.put(_found_by(self._check))
        finally:
            # They belong to this thread, which is over.
            connections.close_all()


def _found_by(check: Check) -> Sequence[Finding]:
    """Run a check; whatever it raises is a finding, too."""
    try:
        return tuple(check.look())
    except AccordError as exc:
        return (_unknown(check.name, str(exc), exc.hint),)
    except ImproperlyConfigured as exc:
        told = db.misconfigured(exc)
        return (_unknown(check.name, str(told), told.hint),)
    except db.ERRORS as exc:
        hint = "If its tables are not there yet, run migrate_all; else see the server's log."
        return (_unknown(check.name, f"The database refuses: {first_line(exc)}.", hint),)
    except Exception as exc:  # noqa: BLE001 - whatever a check does, the others are told of
        # The text of a foreign error may hold anything; its class can be told.
        _log.debug("the health check %s failed", check.name, exc_info=True)
        hint = "Run it alone with the logger accord.health at DEBUG to see where."
        return (_unknown(check.name, f"The check failed with {type(exc).__name__}.", hint),)


def _unknown(name: str, message: str, hint: str) -> Finding:
    return Finding(name=name, level=Level.UNKNOWN, message=redact(message), hint=redact(hint))
