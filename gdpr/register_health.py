"""The health check of the register of erasures: whether it stands, and whether every store knows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from accord.errors import ConfigurationError, StoreUnavailable
from accord.health.runner import Finding, Level
from accord.seam.registry import opened

if TYPE_CHECKING:
    from gdpr.register.soundness import RegisterState


def look() -> Iterator[Finding]:
    """Read the register of erasures, and hold it against what the database and the stores know of it."""
    from gdpr.errors import RegisterError
    from gdpr.register import binding, named, restored, soundness

    try:
        register = named.register()
        hindered, unguarded = register.obstacle(), register.unguarded()
        binding.require()
        state = soundness.checked(register)
        with opened() as stores:
            undone = {one.store: len(restored.forgotten(one)) for one in restored.anywhere(stores)}
    except (RegisterError, ConfigurationError) as exc:
        yield _register(Level.CRITICAL, exc.message, exc.hint)
    except StoreUnavailable as exc:
        text = f"Nobody can say whether every store knows the register of erasures: {exc.message}"
        yield _register(Level.UNKNOWN, text, exc.hint)
    else:
        yield _undone(undone) if undone else _judged(hindered, unguarded, state)


def _undone(stores: Mapping[str, int]) -> Finding:
    listed = ", ".join(f"{store} ({_number(count)} to be replayed)" for store, count in stores.items())
    hint = "See whom that brought back: gdpr_replay --dry-run"
    return _register(Level.CRITICAL, f"Restored to an earlier state: {listed}.", hint, max(stores.values()))


def _number(count: int) -> str:
    return f"{count} erasure" if count == 1 else f"{count} erasures"


def _judged(hindered: str, unguarded: str, state: RegisterState) -> Finding:
    if hindered:
        text = f"The register of erasures can't be written ({hindered}): no erasure begins."
        hint = "Let ACCORD['ERASURE_REGISTER'] name a place that this user may write."
        return _register(Level.CRITICAL, text, hint)
    if unguarded:
        text = f"Triggers that guard the register of erasures are gone or off: {unguarded}."
        hint = "See who took them away. The next entry puts them back."
        return _register(Level.CRITICAL, text, hint)
    return _kept(state)


def _kept(state: RegisterState) -> Finding:
    told = f"{_number(state.done)} in the register; {state.kept} of its entries keep sealed keys"
    late = f", {state.overdue} of them too long" if state.overdue else ""
    hint = "Is cron running gdpr_process? It destroys what no backup can bring back." if late else ""
    return _register(Level.WARN if late else Level.OK, f"{told}{late}.", hint, state.overdue)


def _register(level: Level, message: str, hint: str, value: int = 0) -> Finding:
    value = max(value, level is Level.CRITICAL)
    return Finding(name="erasure.register", level=level, message=message, value=value, threshold=1, hint=hint)
