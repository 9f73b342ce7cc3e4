"""Which PostgreSQL answers."""

from __future__ import annotations

from accord.errors import UnsupportedServer
from accord.seam.stores import StoreInfo
from migrator.alembic.ledger import Ask

OLDEST = 120000
"""Oldest server that the statements of the ledger are meant for, as the server counts."""


def version(ask: Ask) -> tuple[int, str]:
    """Ask for the version, as a number and in words."""
    ((number, words),) = ask(
        "SELECT CAST(current_setting('server_version_num') AS integer), current_setting('server_version')", {}
    )
    return int(number), str(words)


def describe(alias: str, found: tuple[int, str], address: str) -> StoreInfo:
    """
    Put the version into a store's description.

    Args:
        alias: The store.
        found: What :func:`version` gave.
        address: Host and port.

    Raises:
        UnsupportedServer: It is too old.
    """
    number, words = found
    if number < OLDEST:
        raise UnsupportedServer(
            f"Store “{alias}”: PostgreSQL {words} is too old for an Alembic history.",
            hint=f"Use PostgreSQL {OLDEST // 10000} or newer.",
        )
    return StoreInfo(alias=alias, kind="PostgreSQL", version=words, address=address, detail="Alembic history")
