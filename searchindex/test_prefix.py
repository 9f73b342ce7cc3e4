"""The test store of a search store: what its names begin with, how it is made and how it goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accord import conf
from accord.errors import ConfigurationError
from searchindex.transport import Transport, at

_KNOWN = ("PREFIX", "URL")
_AT_ONCE = 20
"""Names in one request: an address may not be long."""


def options(
    alias: str, real: Mapping[str, object], test: Mapping[str, object], suffix: str
) -> Mapping[str, object]:
    """
    Return the options of the test store; see :class:`accord.seam.stores.HasTestStore`.

    Args:
        alias: Alias of the store.
        real: Options of the real store.
        test: `PREFIX` of every name (default: `test_` and the real one, or `test_` and the project's
            name), `URL` of another server.
        suffix: Put behind the prefix, with a hyphen: no worker's prefix begins with another's.

    Raises:
        ConfigurationError: `TEST` can't be used.
    """
    for name, value in test.items():
        if name not in _KNOWN or not (isinstance(value, str) and value):
            raise ConfigurationError(
                f"ACCORD['STORES']['{alias}']['TEST']['{name}'] can't be used.",
                hint="Options: PREFIX of the test store's names, URL of another server; both are texts.",
            )
    prefix = str(test.get("PREFIX") or f"test_{real.get('PREFIX') or f'{conf.load().project.lower()}-'}")
    if suffix:
        prefix = f"{prefix.rstrip('-')}-{suffix.lower()}-"
    # The ledger's default name begins with the prefix, as everything of a test store has to.
    kept = {name: value for name, value in real.items() if name != "LEDGER"}
    return {**kept, "URL": test.get("URL", real.get("URL", "")), "PREFIX": prefix}


def is_within(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
    """Return whether what is real would be taken for the test store's own: its names begin so, too."""
    return str(real.get("PREFIX") or "").startswith(str(test["PREFIX"]))


def make(transport: Transport, prefix: str, ledger: str, *, keep: bool) -> None:
    """
    Make sure that a test store is there to be used: empty, unless what is there is to be kept.

    Args:
        transport: The server.
        prefix: What everything of the test store begins with.
        ledger: The ledger's alias, by which a test store of ours is known.
        keep: Leave what an earlier run of tests left.

    Raises:
        ConfigurationError: Something begins so, and there is no ledger.
    """
    found = [*_indexes(transport, prefix), *_templates(transport, prefix)]
    if found and transport.find(f"/_alias{at(ledger)}") is None:
        raise ConfigurationError(
            f"{len(found)} things begin with {prefix} (such as {found[0]}), and there is no ledger {ledger}: "
            "tests of ours didn't make them, and they would remove them.",
            hint="Delete them if nobody needs them, or name another prefix with TEST = {'PREFIX': ...}.",
        )
    if not keep:
        drop(transport, prefix, ledger)


def drop(transport: Transport, prefix: str, ledger: str) -> None:
    """
    Remove all that begins so, the ledger last: a kill in between leaves what is known again.

    Args:
        transport: The server.
        prefix: What everything of the test store begins with.
        ledger: The ledger's alias.
    """
    of_ledger = frozenset(transport.find(f"/_alias{at(ledger)}") or ())
    found = _indexes(transport, prefix)
    for template in _templates(transport, prefix):
        transport.request("DELETE", f"/_index_template{at(template)}", accept=(404,))
    _delete(transport, [name for name in found if name not in of_ledger])
    _delete(transport, [name for name in found if name in of_ledger])


def _indexes(transport: Transport, prefix: str) -> Sequence[str]:
    path = f"{at(prefix + '*')}/_alias?expand_wildcards=all&ignore_unavailable=true"
    # By alias, too, an index may be found; what counts is its own name.
    return sorted(name for name in transport.find(path) or () if name.startswith(prefix))


def _templates(transport: Transport, prefix: str) -> Sequence[str]:
    found = transport.find(f"/_index_template{at(prefix + '*')}") or {}
    return sorted(one["name"] for one in found.get("index_templates", ()) if one["name"].startswith(prefix))


def _delete(transport: Transport, names: Sequence[str]) -> None:
    """Delete indexes by their whole names: servers may refuse asterisks, and are right."""
    for start in range(0, len(names), _AT_ONCE):
        some = ",".join(names[start : start + _AT_ONCE])
        transport.request("DELETE", f"{at(some)}?ignore_unavailable=true", accept=(404,))
