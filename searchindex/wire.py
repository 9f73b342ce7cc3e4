"""
The light HTTP connection to a search server: the only way the suite's own requests take.

The full client costs a quarter of a second to import, which a run with nothing to do
would pay for reading one document; it is kept for people's own Python steps (see
:mod:`searchindex.client`). One :class:`Wire` belongs to one thread at a time.
"""

from __future__ import annotations

import base64
import http.client
import json
import random
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from accord import redact
from accord.errors import ConfigurationError, StoreError, StoreRefused, StoreUnavailable

READ_TIMEOUT = 90.0
"""Seconds that a request which changes something may take; the servers' own limit is 30."""

_BUSY = frozenset({429, 503})
_BUSY_RETRIES = 6
_LONGEST_PAUSE = 4.0


class RequestRefused(StoreError):
    """
    A search server answered a request with an error.

    Attributes:
        status: HTTP status.
        kind: The server's name for the error (`mapper_parsing_exception`).
        reason: The server's sentence about it, with the innermost cause.
    """

    code = "ACC-610"

    def __init__(self, message: str, *, status: int, kind: str, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.status = status
        self.kind = kind
        self.reason = reason


class ReplyLost(StoreUnavailable):
    """The connection broke after a request was sent: it may or may not have taken effect."""

    code = "ACC-611"


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

    @property
    def address(self) -> str:
        """Host and port: what may stand in a message."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    def headers(self) -> Mapping[str, str]:
        """Give the headers that let us in."""
        if self.api_key:
            return {"Authorization": f"ApiKey {self.api_key}"}
        if self.user:
            pair = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {}


def parse_url(url: str, *, connect_timeout: float, ca_certs: str = "", api_key: str = "") -> Endpoint:
    """
    Read the URL of a search server.

    Args:
        url: `http(s)://[user:password@]host[:port][/path]`; the port is 9200 unless given.
        connect_timeout: See :class:`Endpoint`.
        ca_certs: See :class:`Endpoint`.
        api_key: See :class:`Endpoint`.

    Raises:
        ConfigurationError: It is not such a URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as exc:
        raise _bad_url() from exc
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise _bad_url()
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
    )


def _bad_url() -> ConfigurationError:
    return ConfigurationError(
        "The URL of the search store can't be read.",
        hint="Write ELASTICSEARCH_URL as https://user:password@host:9200, with special characters %-encoded.",
    )


@dataclass(frozen=True, kw_only=True)
class Answer:
    """
    What a server answered.

    Attributes:
        status: HTTP status.
        body: Parsed JSON, or the text where it is none.
        headers: Names in small letters to values.
    """

    status: int
    body: Any
    headers: Mapping[str, str]


class Wire:
    """
    One connection that stays open.

    Args:
        endpoint: Where to.
        sleep: Waits between two tries of a request that a busy server turned away.
    """

    def __init__(self, endpoint: Endpoint, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self.endpoint = endpoint
        self._sleep = sleep
        self._connection: http.client.HTTPConnection | None = None

    def close(self) -> None:
        """Let the connection go; the next request opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def get(self, path: str, **options: Any) -> Any:
        """Send a GET request and give the parsed body. See :meth:`request`."""
        return self.request("GET", path, **options).body

    def find(self, path: str, **options: Any) -> Any | None:
        """Send a GET request and give the parsed body, or None when there is no such thing."""
        answer = self.request("GET", path, accept=(404,), **options)
        return None if answer.status == http.HTTPStatus.NOT_FOUND else answer.body

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: Sequence[int] = (),
        timeout: float = READ_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """
        Send a request, again while the server says that it is busy.

        Args:
            method: HTTP method.
            path: Path with query, starting with a slash; see :func:`at`.
            body: None, something to write as JSON, or bytes that are lines of JSON.
            accept: Statuses of errors that the caller understands.
            timeout: Seconds without a byte from the server.
            headers: Further headers.

        Raises:
            StoreUnavailable: The server can't be reached.
            ReplyLost: The request was sent and no answer came.
            StoreRefused: The server wants other credentials or permissions.
            RequestRefused: The server answered with another error.
        """
        answer = self._send(method, path, body, timeout, headers or {})
        for attempt in range(_BUSY_RETRIES):
            if answer.status not in _BUSY or answer.status in accept:
                break
            pause = min(_LONGEST_PAUSE, 0.2 * 2**attempt)
            self._sleep(pause * random.uniform(0.5, 1))  # noqa: S311 - spreads retries, guards nothing
            answer = self._send(method, path, body, timeout, headers or {})
        if answer.status >= http.HTTPStatus.BAD_REQUEST and answer.status not in accept:
            raise self._refusal(method, path, answer)
        return answer

    def _send(
        self, method: str, path: str, body: object, timeout: float, headers: Mapping[str, str]
    ) -> Answer:
        """Send once; a connection that the server closed while it was idle is opened again."""
        fresh = self._connection is None or self._connection.sock is None
        connection = self._open(timeout)
        payload, content_type = _payload(body)
        sent = {"Accept": "application/json", **self.endpoint.headers(), **content_type, **headers}
        try:
            connection.request(method, self.endpoint.path + path, payload, sent)
            return _read(connection.getresponse())
        except (OSError, http.client.HTTPException) as exc:
            self.close()
            if method == "GET" and not fresh and not isinstance(exc, TimeoutError):
                return self._send(method, path, body, timeout, headers)
            raise ReplyLost(
                f"The search server at {self.endpoint.address} took {method} {_bare(path)} and did "
                f"not answer ({redact.first_line(exc)}).",
                hint="See whether the server is up, then run the same command again: it continues.",
            ) from exc

    def _open(self, timeout: float) -> http.client.HTTPConnection:
        if self._connection is None or self._connection.sock is None:
            connection = self._new_connection()
            try:
                connection.connect()
            except (OSError, http.client.HTTPException) as exc:
                connection.close()
                raise self._unreachable(exc) from exc
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        self._connection.sock.settimeout(timeout)
        return self._connection

    def _new_connection(self) -> http.client.HTTPConnection:
        at = self.endpoint
        if at.scheme == "http":
            return http.client.HTTPConnection(at.host, at.port, timeout=at.connect_timeout)
        context = self._tls()
        return http.client.HTTPSConnection(at.host, at.port, timeout=at.connect_timeout, context=context)

    def _tls(self) -> ssl.SSLContext:
        try:
            return ssl.create_default_context(cafile=self.endpoint.ca_certs or None)
        except OSError as exc:
            raise ConfigurationError(
                f"The certificates in {self.endpoint.ca_certs} can't be read ({redact.first_line(exc)}).",
                hint="Set CA_CERTS of the search store to a file in PEM form.",
            ) from exc

    def _unreachable(self, exc: Exception) -> StoreUnavailable:
        if isinstance(exc, ssl.SSLError):
            return StoreUnavailable(
                f"The search server at {self.endpoint.address} has a certificate that isn't trusted, "
                f"or speaks no TLS ({redact.first_line(exc)}).",
                hint="Set CA_CERTS of the search store, or correct http/https in ELASTICSEARCH_URL.",
            )
        return StoreUnavailable(
            f"The search server at {self.endpoint.address} can't be reached ({redact.first_line(exc)}).",
            hint="Start it, or correct ELASTICSEARCH_URL.",
        )

    def _refusal(self, method: str, path: str, answer: Answer) -> StoreError:
        kind, reason = explain_error(answer.body)
        place = f"The search server at {self.endpoint.address}"
        blocked = "block" in kind
        if answer.status == http.HTTPStatus.UNAUTHORIZED:
            return StoreRefused(
                f"{place} rejects the credentials.", hint="Correct user and password in ELASTICSEARCH_URL."
            )
        if answer.status == http.HTTPStatus.FORBIDDEN and not blocked:
            return StoreRefused(
                f"{place} does not permit {method} {_bare(path)}.",
                hint="Give the user the rights that docs/howto/write-a-search-revision.md lists.",
            )
        return RequestRefused(
            f"{place} answered {method} {_bare(path)} with {answer.status}: {reason or kind}.",
            status=answer.status,
            kind=kind,
            reason=reason,
        )


def at(*parts: str) -> str:
    """
    Build a path from its parts, each encoded.

    Args:
        parts: Names; commas and asterisks stay as they are.
    """
    return "/" + "/".join(quote(part, safe=",*_-.") for part in parts)


def explain_error(body: object) -> tuple[str, str]:
    """
    Find out what a server complains about.

    Args:
        body: Body of an answer with an error.

    Returns:
        The server's name for the error and its sentence, with the innermost cause.
    """
    error = body.get("error") if isinstance(body, Mapping) else body
    if not isinstance(error, Mapping):
        return "", redact.redact(str(error or ""))[:500].rstrip(".")
    reasons = [str(error.get("reason") or "")]
    cause = error.get("caused_by")
    while isinstance(cause, Mapping):
        reasons.append(str(cause.get("reason") or ""))
        cause = cause.get("caused_by")
    told = dict.fromkeys(reason for reason in reasons if reason)
    return str(error.get("type") or ""), redact.redact(": ".join(told))[:800].rstrip(".")


def _payload(body: object) -> tuple[bytes | None, Mapping[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/x-ndjson"}
    return json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}


def _read(response: http.client.HTTPResponse) -> Answer:
    content = response.read()
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = content.decode(errors="replace")
    headers = {name.lower(): value for name, value in response.getheaders()}
    return Answer(status=response.status, body=body, headers=headers)


def _bare(path: str) -> str:
    return path.partition("?")[0]
