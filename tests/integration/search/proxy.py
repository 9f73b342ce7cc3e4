"""A proxy on the way to a server that swallows one answer: the request lands, nobody hears of it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

Chooses = Callable[[str, str], bool]


class SwallowingProxy:
    """
    Passes requests on; drops the answer to the first that is chosen.

    Args:
        url: The server.
        chooses: Told method and path of each request.
    """

    def __init__(self, url: str, chooses: Chooses) -> None:
        self.swallowed: list[str] = []
        handler = type(
            "Handler", (_Handler,), {"target": urlsplit(url).netloc, "proxy": self, "chooses": [chooses]}
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05})

    @property
    def url(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

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
    target: str
    proxy: SwallowingProxy
    chooses: list[Chooses]

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)) or None
        kept = {name: self.headers[name] for name in ("Content-Type", "X-Opaque-Id") if name in self.headers}
        onward = http.client.HTTPConnection(self.target, timeout=60)
        onward.request(self.command, self.path, body, kept)
        answer = onward.getresponse()
        content = answer.read()
        onward.close()
        if not self.proxy.swallowed and self.chooses[0](self.command, self.path):
            self.proxy.swallowed.append(f"{self.command} {self.path}")
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name in ("Content-Type", "X-Elastic-Product"):
            if answer.headers.get(name):
                self.send_header(name, answer.headers[name])
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _pass_on  # noqa: N815 - http.server calls these names

    def log_message(self, *unused: object) -> None:
        """Stay silent."""
