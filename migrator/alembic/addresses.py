"""The address of a history's database, for an `env.py` that Alembic runs by itself."""

from __future__ import annotations

from accord import conf, isolation
from accord.errors import ConfigurationError, UnknownStore
from migrator.alembic import options


def address_of(alias: str) -> str:
    """
    Return the address that a run of Accord would use, out of Django's settings.

    So `alembic upgrade head` by hand reaches the database that `migrate_all` does. Django need not be set up.

    Args:
        alias: Alias of the store in `ACCORD["STORES"]`.

    Returns:
        The address as SQLAlchemy takes it. It may hold a password.

    Raises:
        UnknownStore: There is no such store.
        ConfigurationError: It has no `URL`, or the settings can't be read.
    """
    stores = conf.load().configured_stores()
    if alias not in stores:
        raise UnknownStore(f"There is no store “{alias}”.", hint=f"Stores: {', '.join(sorted(stores))}.")
    found = options.parse(alias, isolation.options_of(stores[alias]))
    if found.url is None:
        raise ConfigurationError(
            f"ACCORD['STORES']['{alias}'] has no URL.",
            hint="Set URL to the address of the history's database, or sqlalchemy.url in its alembic.ini.",
        )
    return found.url.for_sqlalchemy()
