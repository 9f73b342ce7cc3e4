"""How erasures are worked on: limits and delays, from `ACCORD["POLICY"]["erasure"]`, with defaults."""

from __future__ import annotations

import difflib
import enum
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import timedelta

from accord import conf, environments
from accord.approvals import quorum
from accord.approvals.quorum import Quorum
from accord.errors import ConfigurationError
from accord.retry import Backoff

_OPEN = "open_findings"
_APPROVALS = "approvals"
_RETENTION = "retention_approval"
ALWAYS = "always"
NEVER = "never"
PLACE = "ACCORD['POLICY']['erasure']['approvals']"
"""Where it stands how many have to approve."""


class OpenFindings(enum.StrEnum):
    """What becomes of an erasure while the check of the data map finds errors."""

    ALLOW = "allow"
    """Nobody looks, and the receipt says so."""
    WARN = "warn"
    """Plan and receipt name what is open."""
    REFUSE = "refuse"
    """Nothing is planned or begun."""


@dataclass(frozen=True, kw_only=True)
class ErasurePolicy:
    """
    What may be set. There is no setting that turns four eyes off.

    Attributes:
        approval_days: Days until an approval that wasn't used expires.
        verify_again_hours: Hours after completion when every store is asked once more.
        batch_size: Rows or documents that one batch changes at most.
        together: Approved requests that are carried out together, at most.
        lease_seconds: Seconds until a step whose worker fell silent may be taken over.
        retry_seconds: First delay after a failure; doubled each time, up to an hour.
        attempts: Failures in a row of one step before a person has to look.
        reopenings: Times that leftovers may turn up before a person has to look.
        tolerance_percent: How much more may be found than was approved, in percent of it.
        tolerance_rows: How much more may be found than was approved, at least.
        backups_kept_days: Days after which no backup of any store is left, a margin included: until then the
            register of erasures can repeat an erasure after a restore.
        scrub: 1 to have stores write over what they deleted before the second look; 0 to leave it to them.
        retention_rows: Rows and documents that a run of retention in production lets go without a person.
        retention_approval: Rows and documents up to which a run of retention lets go what a second person has
            not approved; None where retention asks for no approval.
        open_findings: What becomes of an erasure while the data map leaves something open.
        approvals: How many have to approve, and out of which groups.
    """

    approval_days: float = 7
    verify_again_hours: float = 24
    batch_size: float = 1000
    together: float = 1000
    lease_seconds: float = 120
    retry_seconds: float = 30
    attempts: float = 12
    reopenings: float = 5
    tolerance_percent: float = 20
    tolerance_rows: float = 100
    backups_kept_days: float = 100
    scrub: float = 0
    retention_rows: float = 10_000
    retention_approval: float | None = None
    open_findings: OpenFindings = OpenFindings.WARN
    approvals: Quorum = quorum.ONE

    @property
    def approval_life(self) -> timedelta:
        """How long an approval counts."""
        return timedelta(days=self.approval_days)

    @property
    def verify_again(self) -> timedelta:
        """How long after completion the stores are asked again."""
        return timedelta(hours=self.verify_again_hours)

    @property
    def backups_kept(self) -> timedelta:
        """How long a backup may bring a person back."""
        return timedelta(days=self.backups_kept_days)

    def delay(self, failures: int) -> timedelta:
        """Return how long to wait after so many failures in a row."""
        backoff = Backoff(first=self.retry_seconds, most=3600, spread=0)
        return timedelta(seconds=backoff.pause(min(max(failures - 1, 0), 10), chance=0))

    def tolerates(self, approved: int, found: int) -> bool:
        """Return whether a count is still as approved. Fewer is always fine; from none to some is not."""
        if found <= approved:
            return True
        slack = max(approved * self.tolerance_percent / 100, self.tolerance_rows)
        return approved > 0 and found - approved <= slack


def load() -> ErasurePolicy:
    """
    Read the policy from the settings.

    Raises:
        ConfigurationError: A name is unknown, or a value is no number from 0 on.
    """
    settings = conf.load()
    configured = settings.policy.get("erasure", {})
    if not isinstance(configured, Mapping):
        raise ConfigurationError(
            "ACCORD['POLICY']['erasure'] must be a dictionary.", hint="See docs/reference/settings.md."
        )
    for name in (_OPEN, _RETENTION):
        by_environment = configured.get(name)
        if isinstance(by_environment, Mapping):
            environments.refuse_unknown(by_environment, f"ACCORD['POLICY']['erasure']['{name}']", settings)
    return parse(configured, environment=settings.environment)


def asked() -> tuple[Quorum, str]:
    """Return who has to approve, and where that stands. Raises as :func:`load`."""
    return load().approvals, PLACE


def parse(configured: Mapping[str, object], *, environment: str = "") -> ErasurePolicy:
    """
    Check a policy.

    Args:
        configured: Names to values.
        environment: Which installation this is, for what may differ between them.

    Raises:
        ConfigurationError: A name is unknown, or a value can't be its.
    """
    known = [item.name for item in fields(ErasurePolicy)]
    words = (_OPEN, _APPROVALS, _RETENTION)
    numbers = {name: value for name, value in configured.items() if name not in words}
    for name, value in numbers.items():
        if name not in known:
            raise _unknown(name, known)
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ConfigurationError(
                f"ACCORD['POLICY']['erasure']['{name}'] must be a number from 0 on.",
                hint="See docs/reference/settings.md.",
            )
    found = _open_findings(configured.get(_OPEN, OpenFindings.WARN), environment)
    needed = quorum.parse(configured.get(_APPROVALS, 1), PLACE)
    return ErasurePolicy(
        open_findings=found,
        approvals=needed,
        retention_approval=_retention_approval(configured.get(_RETENTION, NEVER), environment),
        **{name: float(str(one)) for name, one in numbers.items()},
    )


def _open_findings(value: object, environment: str) -> OpenFindings:
    """Read a word, or words by environment; an environment without one gets the default."""
    words = value if isinstance(value, Mapping) else {environment: value}
    try:
        read = {str(name): OpenFindings(str(word)) for name, word in words.items()}
    except ValueError as exc:
        raise ConfigurationError(
            f"ACCORD['POLICY']['erasure']['{_OPEN}'] must be one of {', '.join(OpenFindings)}, "
            "or a dictionary of such words by environment.",
            hint="See docs/reference/settings.md.",
        ) from exc
    return read.get(environment, OpenFindings.WARN)


def _retention_approval(value: object, environment: str) -> float | None:
    """Read a word or a number, or such by environment; an environment without one asks for no approval."""
    given = value if isinstance(value, Mapping) else {environment: value}
    if not all(_is_approval(one) for one in given.values()):
        raise ConfigurationError(
            f"ACCORD['POLICY']['erasure']['{_RETENTION}'] must be “{ALWAYS}”, “{NEVER}”, a number of rows "
            "from 0 on, or a dictionary of such by environment.",
            hint="See docs/reference/settings.md.",
        )
    asked = given.get(environment, NEVER)
    # Where nothing has run out, there is nothing to approve.
    return None if asked == NEVER else 0.0 if asked == ALWAYS else float(str(asked))


def _is_approval(value: object) -> bool:
    if isinstance(value, str):
        return value in (ALWAYS, NEVER)
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _unknown(name: str, known: list[str]) -> ConfigurationError:
    near = difflib.get_close_matches(name, known, n=1)
    return ConfigurationError(
        f"ACCORD['POLICY']['erasure']['{name}'] is not a setting.",
        hint=f"Did you mean {near[0]}?" if near else f"Known names: {', '.join(known)}.",
    )
