"""Proxies on the way to a server: one swallows an answer, one lets the server look busy."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

Chooses = Callable[[str, str], bool]
_PASSED = ("Accept", "Content-Type", "X-Opaque-Id", "X-Elastic-Product")


@dataclass(frozen=True)
class Asked:
    """A request."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Answered:
    """What is answered to it."""

    status: int
    headers: Mapping[str, str]
    content: bytes


class Proxy:
    """
    Passes requests on.

    Args:
        url: The server.
    """

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url).netloc
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"proxy": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, asked: Asked) -> Answered | None:
        """Answer a request; None breaks the connection."""
        return self.pass_on(asked)

    def pass_on(self, asked: Asked) -> Answered:
        """Ask the server."""
        onward = http.client.HTTPConnection(self._target, timeout=60)
        onward.request(asked.method, asked.path, asked.body or None, asked.headers)
        answer = onward.getresponse()
        found = Answered(answer.status, _passed(answer.headers), answer.read())
        onward.close()
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class SwallowingProxy(Proxy):
    """
    Drops the answer to the first request that is chosen: it landed, and nobody hears of it.

    Args:
        url: The server.
        chooses: Told method and path of each request.
    """

    def __init__(self, url: str, chooses: Chooses) -> None:
        super().__init__(url)
        self.swallowed: list[str] = []
        self._chooses = chooses

    def answer(self, asked: Asked) -> Answered | None:
        found = self.pass_on(asked)
        if not self.swallowed and self._chooses(asked.method, asked.path):
            self.swallowed.append(f"{asked.method} {asked.path}")
            return None
        return found


class BusyProxy(Proxy):
    """
    Turns actions of bulk requests away, as a server does whose queue is full.

    A full queue can't be had on purpose: its length is a setting of the server's start.

    Args:
        url: The server.
        times: How many bulk requests meet a full queue; later ones are passed on whole.
        kind: Which actions: all of this kind, such as `delete`; by default every second one.
        status: What they are told.
        whole: Answer the whole request with that status.
    """

    def __init__(
        self, url: str, times: int, *, kind: str = "", status: int = 429, whole: bool = False
    ) -> None:
        super().__init__(url)
        self.bulk_bytes: list[int] = []
        self.page_bytes: list[int] = []
        self._times, self._kind, self._status, self._whole = times, kind, status, whole

    def answer(self, asked: Asked) -> Answered | None:
        if not asked.path.partition("?")[0].endswith("/_bulk"):
            found = self.pass_on(asked)
            self.page_bytes += [len(found.content)] if asked.path == "/_search" else []
            return found
        self.bulk_bytes.append(len(asked.body))
        if len(self.bulk_bytes) > self._times:
            return self.pass_on(asked)
        error = {"type": "es_rejected_execution_exception", "reason": "rejected execution"}
        if self._whole:
            return _json(self._status, {"error": error, "status": self._status})
        return self._in_part(asked, {"status": self._status, "error": error})

    def _in_part(self, asked: Asked, told: Mapping[str, Any]) -> Answered:
        actions = _actions(asked.body)
        away = [
            kind == self._kind if self._kind else number % 2 == 0 for number, (kind, _) in enumerate(actions)
        ]
        kept = [text for (_, text), turned in zip(actions, away, strict=True) if not turned]
        items: list[Any] = []
        if kept:
            body = b"".join(kept)
            items = json.loads(self.pass_on(replace(asked, body=body)).content)["items"]
        rest = iter(items)
        merged = [
            {kind: told} if turned else next(rest) for (kind, _), turned in zip(actions, away, strict=True)
        ]
        return _json(200, {"took": 1, "errors": True, "items": merged})


class NarrowProxy(Proxy):
    """
    Refuses bulk requests beyond a size as proxies do: 413, and not a word of JSON.

    Args:
        url: The server.
        most: Bytes that it lets through.
    """

    def __init__(self, url: str, most: int) -> None:
        super().__init__(url)
        self.most, self.passed, self.refused = most, 0, 0

    def answer(self, asked: Asked) -> Answered | None:
        if not asked.path.partition("?")[0].endswith("/_bulk"):
            return self.pass_on(asked)
        if len(asked.body) > self.most:
            self.refused += 1
            return Answered(413, {"X-Elastic-Product": "Elasticsearch"}, b"")
        self.passed += 1
        return self.pass_on(asked)


def _actions(body: bytes) -> list[tuple[str, bytes]]:
    lines = iter(body.splitlines(keepends=True))
    found = []
    for line in lines:
        kind = next(iter(json.loads(line)))
        found.append((kind, line if kind == "delete" else line + next(lines)))
    return found


def _json(status: int, body: object) -> Answered:
    headers = {"Content-Type": "application/json", "X-Elastic-Product": "Elasticsearch"}
    return Answered(status, headers, json.dumps(body).encode())


def _passed(headers: Any) -> Mapping[str, str]:
    return {name: headers[name] for name in _PASSED if name in headers}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    proxy: Proxy

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        found = self.proxy.answer(Asked(self.command, self.path, _passed(self.headers), body))
        if found is None:
            self.close_connection = True
            return
        self.send_response(found.status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(found.content)))
        self.end_headers()
        self.wfile.write(found.content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _answer  # noqa: N815 - http.server calls these names

    def log_message(self, *unused: object) -> None:
        """Stay silent."""
