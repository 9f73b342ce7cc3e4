"""Health checks of search: aliases point where the ledger says, and the cluster takes writes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial

from accord import conf
from accord.health.runner import Check, Finding, Level
from accord.seam.registry import opened
from searchindex.aliases import Aliases
from searchindex.expected_aliases import ExpectedAliases, expected_placement
from searchindex.store import SearchStore
from searchindex.transport import at

_READ_ONLY = frozenset({"5", "12"})
"""How the servers number the blocks `read_only` and `read_only_allow_delete`."""


def checks() -> Iterable[Check]:
    """Yield the checks of each store of this package."""
    package = f"{__package__}."
    for alias, settings in conf.load().store_settings().items():
        if settings.backend.startswith(package):
            yield Check(name=f"aliases.{alias}", look=partial(_look, alias, look_at_aliases))
            yield Check(name=f"cluster.{alias}", look=partial(_look, alias, look_at_cluster))


def _look(alias: str, look: Callable[[str, SearchStore], Finding]) -> Iterator[Finding]:
    with opened() as stores:
        store = stores[alias]
        if isinstance(store, SearchStore):
            yield look(alias, store)


# --- aliases -----------------------------------------------------------------------------------------


def look_at_aliases(alias: str, store: SearchStore) -> Finding:
    """Compare the aliases on the server with what the applied revisions put behind them."""
    expected = expected_placement(store)
    # Each by its name: whoever asks for all meets every index, and one that is blocked fails that.
    found = Aliases(store.transport)
    live = {name: set(found.targets(name)) for name in expected.aliases}
    return judge_aliases(f"aliases.{alias}", expected, live)


def judge_aliases(name: str, expected: ExpectedAliases, live: Mapping[str, set[str]]) -> Finding:
    """
    Judge where aliases point.

    Args:
        name: Of the finding.
        expected: What the applied revisions put behind them.
        live: Aliases of the server to the indexes behind them.
    """
    wrong = [
        f"{alias} points at {_names(live.get(alias, set()))} instead of {_names(indexes)}"
        for alias, indexes in sorted(expected.aliases.items())
        if not expected.tolerates(live.get(alias, set()), indexes)
    ]
    if wrong:
        more = f"; and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Finding(
            name=name,
            level=Level.CRITICAL,
            message=f"The alias {wrong[0]}{more}.",
            value=len(wrong),
            threshold=1,
            hint="Point it back with one POST /_aliases, or restore the index; then see who moved it.",
        )
    count = len(expected.aliases)
    text = f"{count} aliases point where the ledger says." if count else "The ledger expects no alias yet."
    return Finding(name=name, level=Level.OK, message=text, value=0, threshold=1)


def _names(indexes: Iterable[str]) -> str:
    return ", ".join(sorted(indexes)) or "nothing"


# --- the cluster -------------------------------------------------------------------------------------


def look_at_cluster(alias: str, store: SearchStore) -> Finding:
    """Ask for the state of the cluster, and whether a full disk made indexes read-only."""
    health = store.transport.get("/_cluster/health")
    # The cluster knows of blocks; an index that is blocked says nothing of itself.
    path = at("_cluster", "state", "blocks", f"{store.names.prefix}*")
    found = store.transport.get(f"{path}?expand_wildcards=all&filter_path=blocks.indices")
    standing = (found.get("blocks") or {}).get("indices") or {}
    blocked = sorted(index for index, ids in standing.items() if _READ_ONLY & ids.keys())
    return judge_cluster(f"cluster.{alias}", health, blocked)


def judge_cluster(name: str, health: Mapping[str, object], blocked: Sequence[str]) -> Finding:
    """
    Judge a cluster.

    Args:
        name: Of the finding.
        health: Answer to `_cluster/health`.
        blocked: Our indexes that take no writes.
    """
    status, nodes = str(health.get("status", "")), int(str(health.get("number_of_nodes", 0)))
    unassigned = int(str(health.get("unassigned_shards", 0)))
    level, hint = Level.OK, ""
    if status == "red":
        level, hint = Level.CRITICAL, "Data can't be found at the moment: bring the missing nodes back."
    elif blocked:
        level, hint = Level.CRITICAL, "Usually a full disk: make room there; the server then lifts the block."
    elif status != "green" and nodes > 1:
        # A single node never has a place for replicas.
        level, hint = Level.WARN, "Copies of shards are missing: GET /_cluster/allocation/explain says why."
    read_only = f" Read-only: {_names(blocked)}." if blocked else ""
    return Finding(
        name=name,
        level=level,
        message=f"The cluster is {status} with {nodes} node{'s' if nodes != 1 else ''}.{read_only}",
        value=unassigned,
        threshold=1 if nodes > 1 else None,
        hint=hint,
    )
