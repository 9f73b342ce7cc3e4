"""
The light HTTP transport to a search server: the only way the suite's own requests take.

The full client costs more than a tenth of a second to import, which a run with nothing to do
would pay for reading one document; it is kept for people's own Python steps (see
:mod:`searchindex.client`, and docs/adr/0010-search-transport.md for the figures).
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPException
from threading import Lock
from typing import Any
from urllib.parse import quote

from urllib3 import BaseHTTPResponse, HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, ReadTimeoutError

from accord.errors import StoreError, StoreRefused, StoreUnavailable
from accord.secrets import redact
from searchindex.blocks import PatientUnlessBlocked, unanswered, way_on
from searchindex.encrypted import speaks_tls, trusting
from searchindex.endpoint import Endpoint

READ_TIMEOUT = 90.0
"""Seconds that a request which changes something may take; the servers' own limit is 30."""

_BUSY = frozenset({429, 503})
# The library repeats what a busy server turned away; what broke on its way is judged here. `Retry-After` is
# not believed: it may name an hour, and a lease is held meanwhile.
_PATIENCE = PatientUnlessBlocked(
    total=None, connect=False, read=False, other=False, redirect=False, status=6,
    status_forcelist=_BUSY, allowed_methods=None, raise_on_status=False,
    backoff_factor=0.2, backoff_max=4, backoff_jitter=0.2, respect_retry_after_header=False,
)  # fmt: skip
_CONNECTIONS = 8


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
class ServerResponse:
    """
    What a server answered.

    Attributes:
        status: HTTP status.
        body: Parsed JSON, or the text where it is none.
        headers: Names in small letters to values.
        size: Bytes of the body.
    """

    status: int
    body: Any
    headers: Mapping[str, str]
    size: int = 0


class _ConnectError(Exception):
    """No connection came about, so nothing was sent; its cause says why."""


@contextmanager
def _connecting() -> Iterator[None]:
    try:
        yield
    except (OSError, HTTPException, HTTPError) as exc:
        raise _ConnectError from exc


class _Plain(HTTPConnection):
    def connect(self) -> None:
        with _connecting():
            super().connect()


class _Encrypted(HTTPSConnection):
    def connect(self) -> None:
        with _connecting():
            super().connect()


class Transport:
    """
    Connections to one server that stay open; several threads may use it at once.

    Args:
        endpoint: Where to.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self._opening = Lock()
        self._pool: HTTPConnectionPool | None = None

    def close(self) -> None:
        """Close the connections; the next request opens another."""
        with self._opening:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    def get(self, path: str, **options: Any) -> Any:
        """Send a GET request and give the parsed body. See :meth:`request`."""
        return self.request("GET", path, **options).body

    def find(self, path: str, **options: Any) -> Any | None:
        """Send a GET request and give the parsed body, or None when there is no such thing."""
        answer = self.request("GET", path, accept=(404,), **options)
        return None if answer.status == HTTPStatus.NOT_FOUND else answer.body

    def request(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        accept: Sequence[int] = (),
        timeout: float = READ_TIMEOUT,
        headers: Mapping[str, str] | None = None,
    ) -> ServerResponse:
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
            StoreUnavailable: The server can't be reached, or what answers is none.
            ReplyLost: The request was sent and no answer came.
            StoreRefused: The server wants other credentials or permissions.
            RequestRefused: The server answered with another error.
        """
        payload, content_type = _payload(body)
        sent = {"Accept": "application/json", **self.endpoint.headers(), **content_type, **(headers or {})}
        options = {
            "body": payload,
            "headers": sent,
            "timeout": Timeout(connect=self.endpoint.connect_timeout, read=timeout),
            "redirect": False,
            "retries": _PATIENCE.new(status_forcelist=_BUSY.difference(accept)),
        }
        answer = self._send(method, path, options, again=method == "GET")
        if answer.status >= HTTPStatus.BAD_REQUEST and answer.status not in accept:
            raise self.refusal(method, path, answer)
        if answer.status < HTTPStatus.BAD_REQUEST and isinstance(answer.body, str):
            raise self._no_search_server(method, path, answer)
        return answer

    def _no_search_server(self, method: str, path: str, answer: ServerResponse) -> StoreError:
        """Make the error for an answer that no search server gives: the page of a proxy, say."""
        kind = answer.headers.get("content-type", "no type")
        return StoreUnavailable(
            f"What answers at {self.endpoint.address} is no search server: {method} {_bare(path)} gave "
            f"{answer.status} and {kind}, no JSON.",
            hint="See whether a proxy or a page to sign in stands before it, and correct "
            f"{self.endpoint.setting}.",
        )

    def _send(self, method: str, path: str, options: Mapping[str, Any], *, again: bool) -> ServerResponse:
        """Send a request; `again` sends it once more when the connection broke, as an idle one may."""
        try:
            return _read(self._open().urlopen(method, self.endpoint.path + path, **options))
        except _ConnectError as exc:
            raise self._unreachable(_innermost(exc)) from exc
        except (OSError, HTTPException, HTTPError) as exc:
            broken = not isinstance(exc, ReadTimeoutError)
            if again and broken:
                return self._send(method, path, options, again=False)
            wanted = self._wants_tls() if broken else None
            raise wanted or self.lost(method, path, _innermost(exc)) from exc

    def _open(self) -> HTTPConnectionPool:
        with self._opening:
            if self._pool is None:
                self._pool = self._new_pool()
            return self._pool

    def _new_pool(self) -> HTTPConnectionPool:
        at = self.endpoint
        if at.scheme == "http":
            pool = HTTPConnectionPool(at.host, at.port, maxsize=_CONNECTIONS)
            pool.ConnectionCls = _Plain
            return pool
        pool = HTTPSConnectionPool(at.host, at.port, maxsize=_CONNECTIONS, ssl_context=trusting(at.ca_certs))
        pool.ConnectionCls = _Encrypted
        return pool

    def _unreachable(self, exc: BaseException) -> StoreUnavailable:
        if isinstance(exc, ssl.SSLError):
            return StoreUnavailable(
                f"The search server at {self.endpoint.address} has a certificate that isn't trusted, "
                f"or speaks no TLS ({redact.first_line(exc)}).",
                hint=f"Set CA_CERTS of the search store, or correct http/https in {self.endpoint.setting}.",
            )
        return StoreUnavailable(
            f"The search server at {self.endpoint.address} can't be reached ({redact.first_line(exc)}).",
            hint=f"Start it, or correct {self.endpoint.setting}.",
        )

    def _wants_tls(self) -> StoreUnavailable | None:
        at = self.endpoint
        if at.scheme != "http" or not speaks_tls(at.host, at.port, at.connect_timeout):
            return None
        return StoreUnavailable(
            f"The search server at {at.address} speaks TLS, and was asked without it.",
            hint=f"Write https:// in {at.setting}; for a certificate of your own, set CA_CERTS of the store.",
        )

    def lost(self, method: str, path: str, exc: BaseException) -> ReplyLost:
        """Make the error for a request that was sent and has no answer."""
        return ReplyLost(
            f"The search server at {self.endpoint.address} took {method} {_bare(path)} and did "
            f"not answer ({redact.first_line(exc)}).",
            hint="See whether the server is up, then run the same command again: it continues.",
        )

    def refusal(self, method: str, path: str, answer: ServerResponse) -> StoreError:
        """Make the error for a request that was answered with one."""
        kind, reason = explain_error(answer.body)
        reason = reason or kind or _phrase(answer.status)
        place = f"The search server at {self.endpoint.address}"
        blocked = "block" in kind
        if answer.status == HTTPStatus.UNAUTHORIZED:
            return StoreRefused(
                f"{place} rejects the credentials.",
                hint=f"Correct user and password in {self.endpoint.setting}.",
            )
        if answer.status == HTTPStatus.FORBIDDEN and not blocked:
            return StoreRefused(
                f"{place} does not permit {method} {_bare(path)}.",
                hint="Give the user the rights that docs/howto/write-a-search-revision.md lists.",
                lacks_right=True,
            )
        return RequestRefused(
            f"{place} answered {method} {_bare(path)} with {answer.status}: {reason}.",
            status=answer.status,
            kind=kind,
            reason=reason,
            hint=way_on(kind, answer.status, reason) or unanswered(kind, answer.status),
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
    return str(error.get("type") or ""), redact.redact(": ".join(told))[:800].rstrip(".;")


def _payload(body: object) -> tuple[bytes | None, Mapping[str, str]]:
    if body is None:
        return None, {}
    if isinstance(body, bytes):
        return body, {"Content-Type": "application/x-ndjson"}
    return json.dumps(body, ensure_ascii=False).encode(), {"Content-Type": "application/json"}


def _read(response: BaseHTTPResponse) -> ServerResponse:
    content = response.data
    try:
        body = json.loads(content) if content else None
    except ValueError:
        body = content.decode(errors="replace")
    headers = {name.lower(): value for name, value in response.headers.items()}
    return ServerResponse(status=response.status, body=body, headers=headers, size=len(content))


def _innermost(exc: BaseException) -> BaseException:
    """Find what the socket said: the library's own errors wrap it in texts about objects."""
    wrapped = next((part for part in reversed(exc.args) if isinstance(part, Exception)), exc.__cause__)
    return exc if wrapped is None else _innermost(wrapped)


def _phrase(status: int) -> str:
    """Say what a status means, for an answer that says nothing itself."""
    known = status in HTTPStatus._value2member_map_
    return f"{status} {HTTPStatus(status).phrase}" if known else f"status {status}"


def _bare(path: str) -> str:
    return path.partition("?")[0]
