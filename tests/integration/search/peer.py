"""An HTTP server whose paths say how it behaves: what a real search server does only now and then."""

from __future__ import annotations

import json
import ssl
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Peer:
    """
    Answers each request with its own path, unless the path asks for something else.

    `/drop/N` breaks the connection on the first N requests, `/busy/N` turns N away, `/slow/S`
    answers after S seconds, `/page` answers with a page for people, and `/leave` closes the
    connection after its answer without a word.

    Args:
        tls: Speak TLS with this.
    """

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.asked: Counter[str] = Counter()
        self.connections = 0
        handler = type("Handler", (_Handler,), {"peer": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self.scheme = "https" if tls else "http"
        if tls:
            self._server.socket = tls.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"{self.scheme}://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *unused: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    peer: Peer

    def setup(self) -> None:
        super().setup()
        self.peer.connections += 1

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True  # the other side broke it, as a test may want

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.peer.asked[self.path] += 1
        _, how, *rest = self.path.split("/")
        if how == "drop" and self.peer.asked[self.path] <= int(rest[0]):
            self.close_connection = True
            return
        if how == "slow":
            time.sleep(float(rest[0]))
        busy = how == "busy" and self.peer.asked[self.path] <= int(rest[0])
        self._send(429 if busy else 200, page=how == "page")
        self.close_connection = how == "leave"

    def _send(self, status: int, *, page: bool) -> None:
        content = b"<html>Please sign in</html>" if page else json.dumps({"path": self.path}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if page else "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - http.server calls these names

    def log_message(self, *unused: object) -> None:
        """Stay silent."""
