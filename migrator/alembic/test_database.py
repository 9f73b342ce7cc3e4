"""The test database of an Alembic history: one that Django makes, or one that the settings name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.db import connections

from accord import conf, isolation
from accord.errors import ConfigurationError


def _options(alias: str, real: Mapping[str, object], test: Mapping[str, object]) -> Mapping[str, object]:
    """
    Return the options of the test store; see :class:`accord.seam.stores.HasTestStore`.

    Args:
        alias: Alias of the store.
        real: Options of the real store.
        test: `MIRROR`, an alias of `DATABASES` in whose test database the history runs (default: the one
            whose real database the history is in), or `URL` of a database that is there for tests alone.

    Raises:
        ConfigurationError: `TEST` can't be used, or Django made no such test database.
    """
    for name, value in test.items():
        if name not in ("MIRROR", "URL") or not (isinstance(value, str) and value):
            raise ConfigurationError(
                f"ACCORD['STORES']['{alias}']['TEST']['{name}'] can't be used.",
                hint="Options: MIRROR, an alias of DATABASES whose test database is used, or URL of another.",
            )
    if "URL" in test:
        return {**real, "URL": test["URL"]}
    if not isolation.is_testing():
        return {**real, "URL": ""}
    mirror = str(test.get("MIRROR") or _nearest(alias, real))
    if mirror not in connections.databases:
        raise ConfigurationError(
            f"ACCORD['STORES']['{alias}']['TEST']['MIRROR'] names “{mirror}”, no alias of DATABASES.",
            hint=f"Choose one of: {', '.join(connections.databases)}.",
        )
    isolation.refuse_real(mirror)
    return {**real, "URL": _url(connections.databases[mirror])}


def _is_same(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
    """Return whether both are databases of one name."""
    return bool(_name(test)) and _name(test) == _name(real)


def _nearest(alias: str, real: Mapping[str, object]) -> str:
    """Find the database of Django's settings that the history is in; where only env.py knows, the first."""
    if not _name(real):
        return conf.load().coordinator
    for found in connections.databases:
        if isolation.real_name(found) == _name(real):
            return found
    raise ConfigurationError(
        f"Tests run, and the history “{alias}” is in {_name(real)}, of which Django makes no test database.",
        hint=f"Say where tests run it: ACCORD['STORES']['{alias}']['TEST'] = {{'MIRROR': 'default'}}, or "
        "{'URL': ...} of a database for tests alone.",
    )


def _name(options: Mapping[str, object]) -> str:
    return urlsplit(str(options.get("URL") or "")).path.lstrip("/")


def _url(entry: Mapping[str, Any]) -> str:
    """Write a database of Django's settings as a URL."""
    user, password = (quote(str(entry.get(name) or ""), safe="") for name in ("USER", "PASSWORD"))
    more = {name: str(value) for name, value in entry.get("OPTIONS", {}).items() if name.startswith("ssl")}
    place = {"host": entry.get("HOST"), "port": entry.get("PORT"), **more}
    query = urlencode({name: value for name, value in place.items() if value}, quote_via=quote, safe="/")
    userinfo = f"{user}{':' if password else ''}{password}{'@' if user or password else ''}"
    return f"postgresql://{userinfo}/{quote(str(entry['NAME']))}" + (f"?{query}" if query else "")


class InTestDatabase:
    """The part of the store that belongs to tests: a history is tested in a test database of Django's."""

    @staticmethod
    def test_options(
        alias: str,
        options: Mapping[str, object],
        test: Mapping[str, object],
        suffix: str,  # noqa: ARG004 - Django's databases have it already
    ) -> Mapping[str, object]:
        """Name the test database. See :class:`accord.seam.stores.HasTestStore`."""
        return _options(alias, options, test)

    @staticmethod
    def overlaps(test: Mapping[str, object], real: Mapping[str, object]) -> bool:
        """Compare the databases. See :class:`accord.seam.stores.HasTestStore`."""
        return _is_same(test, real)

    def make_test_store(self, *, keep: bool) -> None:
        """Nothing is made: the database is there. See :class:`accord.seam.stores.HasTestStore`."""

    def drop_test_store(self) -> None:
        """Nothing goes: the tables go with the test database of Django's that they are in."""
