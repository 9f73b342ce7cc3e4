"""Options of an Alembic store, checked, and its URL in the two spellings that drivers want."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from accord import conf
from accord.errors import ConfigurationError

_POSTGRES = frozenset({"postgres", "postgresql", "pgsql", "postgis"})
_KNOWN = ("CONFIG", "APP", "URL", "SECTION", "VERSION_TABLE", "VERSION_TABLE_SCHEMA")
_LABEL = re.compile(r"^[A-Za-z_][A-Za-z0-9_-]*$")


@dataclass(frozen=True, kw_only=True)
class DatabaseUrl:
    """
    A PostgreSQL URL as people write it for Django, for SQLAlchemy or for `psql`.

    Attributes:
        text: The URL as it was given.
    """

    text: str = field(repr=False)

    @property
    def driver(self) -> str:
        """Name of SQLAlchemy's driver, or an empty text where the URL names none."""
        return urlsplit(self.text).scheme.partition("+")[2]

    @property
    def for_psycopg2(self) -> str:
        """The URL as libpq understands it."""
        return self._spelled("postgresql")

    def for_sqlalchemy(self, driver: str = "") -> str:
        """
        Return the URL as SQLAlchemy understands it.

        Args:
            driver: Driver to name where the URL itself names none.
        """
        return self._spelled(f"postgresql+{self.driver or driver or 'psycopg2'}")

    @property
    def place(self) -> str:
        """Host, port and database, without credentials."""
        parts = urlsplit(self._spelled("postgresql"))
        host = dict(parse_qsl(parts.query)).get("host", parts.hostname or "")
        port = dict(parse_qsl(parts.query)).get("port", parts.port or 5432)
        return f"{host}:{port}{parts.path}"

    def _spelled(self, scheme: str) -> str:
        parts = urlsplit(self.text)
        userinfo, at, place = parts.netloc.rpartition("@")
        host, colon, port = place.partition(":")
        query = parse_qsl(parts.query, keep_blank_values=True)
        if "%2f" in host.lower():  # a socket's folder, percent-encoded as Django's URL helpers like it
            query = [("host", unquote(host)), *([("port", port)] if port else []), *query]
            place = ""
        elif not host and colon and port:
            query.append(("port", port))
            place = ""
        encoded = urlencode(query, quote_via=quote, safe="/")
        # Joined by hand: the standard library drops the slashes of a URL without a host.
        return f"{scheme}://{userinfo}{at}{place}{parts.path or '/'}" + (f"?{encoded}" if encoded else "")


@dataclass(frozen=True, kw_only=True)
class AlembicOptions:
    """
    What an entry of `ACCORD["STORES"]` says about an Alembic history.

    Attributes:
        config: The `alembic.ini`, or a `pyproject.toml` with `[tool.alembic]`.
        app: Label of the history in step keys.
        url: Database that overrides `sqlalchemy.url`; None leaves the choice to `env.py`.
        section: Section of the ini.
        version_table: Name of Alembic's table.
        version_table_schema: Its schema; empty for the first of the search path.
    """

    config: Path
    app: str
    url: DatabaseUrl | None = None
    section: str = "alembic"
    version_table: str = "alembic_version"
    version_table_schema: str = ""


def parse(alias: str, raw: Mapping[str, object]) -> AlembicOptions:
    """
    Check the options of a store.

    Args:
        alias: Alias of the store, which is also the default of `APP`.
        raw: Upper-case names to values.

    Raises:
        ConfigurationError: An option is unknown, missing or of the wrong form.
    """
    place = f"ACCORD['STORES']['{alias}']"
    _refuse_unknown(place, raw)
    texts = {name: _text(place, name, value) for name, value in raw.items() if value not in (None, "")}
    if "CONFIG" not in texts:
        raise ConfigurationError(
            f"{place} has no CONFIG.", hint="Set CONFIG to the path of the alembic.ini, relative to BASE_DIR."
        )
    app = texts.get("APP", alias)
    if not _LABEL.match(app):
        raise ConfigurationError(
            f"{place}['APP'] is “{app}”.", hint="Use letters, digits and _, as for the label of an app."
        )
    return AlembicOptions(
        config=conf.base_dir() / texts["CONFIG"],
        app=app,
        url=_url(place, texts.get("URL")),
        section=texts.get("SECTION", "alembic"),
        version_table=texts.get("VERSION_TABLE", "alembic_version"),
        version_table_schema=texts.get("VERSION_TABLE_SCHEMA", ""),
    )


def _refuse_unknown(place: str, raw: Mapping[str, object]) -> None:
    for name in raw:
        if name not in _KNOWN:
            near = difflib.get_close_matches(name, _KNOWN, n=1)
            hint = f"Did you mean {near[0]}?" if near else f"Known options: {', '.join(_KNOWN)}."
            raise ConfigurationError(f"{place} has an unknown option {name}.", hint=hint)


def _text(place: str, name: str, value: object) -> str:
    if isinstance(value, str | Path):
        return str(value)
    raise ConfigurationError(
        f"{place}['{name}'] must be a text.", hint="See docs/howto/write-an-alembic-revision.md."
    )


def _url(place: str, text: str | None) -> DatabaseUrl | None:
    if text is None:
        return None
    if urlsplit(text).scheme.partition("+")[0] not in _POSTGRES:
        raise ConfigurationError(
            f"{place}['URL'] is no PostgreSQL URL.",
            hint="Write it as postgresql://user:password@host:5432/database.",
        )
    return DatabaseUrl(text=text)
