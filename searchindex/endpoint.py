"""Where a search server listens, and how to be let in."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from accord.errors import ConfigurationError
from accord.secrets.redact import refuse_ambiguous

_SETTING = "the URL of the search store"


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """
    Where a search server listens, and how to be let in.

    Attributes:
        scheme: `http` or `https`.
        host: Name or address.
        port: Port.
        path: Path in front of every request, for servers behind a proxy; no slash at its end.
        user: Name for basic authentication; empty for none.
        password: Password for it.
        api_key: Encoded API key; goes before user and password.
        ca_certs: File with the certificates to trust instead of the system's; empty for those.
        connect_timeout: Seconds until a server that does not answer counts as unavailable.
        setting: Where the URL was written, for hints.
    """

    scheme: str
    host: str
    port: int
    path: str = ""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    api_key: str = field(default="", repr=False)
    ca_certs: str = ""
    connect_timeout: float = 5.0
    setting: str = _SETTING

    @property
    def address(self) -> str:
        """Host and port: what may stand in a message."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def headers(self) -> Mapping[str, str]:
        """Return the headers that let us in."""
        if self.api_key:
            return {"Authorization": f"ApiKey {self.api_key}"}
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


def parse_url(
    url: str, *, connect_timeout: float, setting: str = _SETTING, ca_certs: str = "", api_key: str = ""
) -> Endpoint:
    """
    Read the URL of a search server.

    Args:
        url: `http(s)://[user:password@]host[:port][/path]`; the port is 9200 unless given.
        connect_timeout: See :class:`Endpoint`.
        setting: See :class:`Endpoint`.
        ca_certs: See :class:`Endpoint`.
        api_key: See :class:`Endpoint`.

    Raises:
        ConfigurationError: It is not such a URL.
    """
    refuse_ambiguous(url, "The URL of the search store")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise _bad_url(setting) from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad_url(setting)
    return Endpoint(
        scheme=parts.scheme,
        host=parts.hostname,
        port=port or 9200,
        path=parts.path.rstrip("/"),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        api_key=api_key,
        ca_certs=ca_certs,
        connect_timeout=connect_timeout,
        setting=setting,
    )


def _bad_url(setting: str) -> ConfigurationError:
    return ConfigurationError(
        "The URL of the search store can't be read.",
        hint=f"Write {setting} as https://user:password@host:9200, with special characters %-encoded.",
    )
