"""A processor that has contacts, behind an HTTP API of its own, and how a project speaks to it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import quote, unquote
from urllib.request import Request, urlopen

URL = "PROCESSOR_URL"
HANGS = 3.0
"""Seconds for which it hangs."""


class Processor(ThreadingHTTPServer):
    """
    The processor. `mode` says how it behaves.

    Attributes:
        contacts: Number of each contact to the customer that it is of.
        queued: Contacts whose deletion was taken and not carried out yet.
        mode: `deletes`, `queues`, `fails` (500), `hangs`.
        deletions: How many were asked for.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.contacts: dict[str, str] = {}
        self.queued: set[str] = set()
        self.mode = "deletes"
        self.deletions = 0

    @property
    def url(self) -> str:
        """Where it is reached."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answers(BaseHTTPRequestHandler):
    server: Processor

    def do_GET(self) -> None:
        self._trouble()
        name, _, wanted = unquote(self.path).partition("?customer=")
        if name == "/":
            return self._say(HTTPStatus.OK, {"account": "music"})
        found = [one for one, owner in self.server.contacts.items() if owner == wanted]
        return self._say(HTTPStatus.OK, found)

    def do_DELETE(self) -> None:
        self._trouble()
        self.server.deletions += 1
        contact = self.path.removeprefix("/contacts/")
        if self.server.mode == "queues":
            self.server.queued.add(contact)
            return self._say(HTTPStatus.ACCEPTED, {})
        gone = self.server.contacts.pop(contact, None)
        return self._say(HTTPStatus.OK if gone else HTTPStatus.NOT_FOUND, {})

    def do_PUT(self) -> None:
        """Let the test say how it behaves from now on: a mode, a contact, or that the queue is worked off."""
        what, _, value = unquote(self.path).removeprefix("/").partition("/")
        contact, _, owner = value.partition("/")
        match what:
            case "mode":
                self.server.mode = value
            case "contact":
                self.server.contacts[contact] = owner
            case "work-off":
                for one in self.server.queued:
                    self.server.contacts.pop(one, None)
        self._say(HTTPStatus.OK, {"deletions": self.server.deletions, "contacts": self.server.contacts})

    def log_message(self, *_: object) -> None:
        """Keep the test's output to itself."""

    def _trouble(self) -> None:
        if self.server.mode == "hangs":
            time.sleep(HANGS)
        if self.server.mode == "fails":
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, {})

    def _say(self, status: HTTPStatus, answer: object) -> None:
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def processor() -> Iterator[Processor]:
    """Run one for a test."""
    server = Processor()
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(method: str, path: str) -> Any:
    """Ask the processor; an answer that is no success raises an `OSError`, as every client's does."""
    request = Request(  # noqa: S310 - the test's own address
        f"{os.environ[URL]}{path}", method=method
    )
    with urlopen(request, timeout=10) as answer:  # noqa: S310 - as above
        return json.loads(answer.read())


class Contacts:
    """What a data map names: the contacts of customers at the processor."""

    def where(self) -> str:
        """Name the account."""
        return f"contacts of {asked('GET', '/')['account']}"

    def find(self, keys: Sequence[Any]) -> Iterator[str]:
        """Yield the numbers of the contacts."""
        for key in keys:
            yield from asked("GET", f"/contacts?customer={quote(str(key))}")

    def delete(self, ids: Sequence[str]) -> int:
        """Have contacts deleted."""
        return sum(self._delete(one) for one in ids)

    def verify(self, keys: Sequence[Any]) -> Iterator[str]:
        """Look once more: this processor has one way to ask only."""
        return self.find(keys)

    def export(self, ids: Sequence[str]) -> Iterator[Mapping[str, str]]:
        """Yield what a person may know."""
        return ({"contact": one} for one in ids)

    def _delete(self, contact: str) -> bool:
        try:
            asked("DELETE", f"/contacts/{contact}")
        except HTTPError as exc:
            if exc.code != HTTPStatus.NOT_FOUND:
                raise
            return False
        return True


class Dying(Contacts):
    """The same, in a process that is killed between what the processor did and what is written down of it."""

    def delete(self, ids: Sequence[str]) -> int:
        super().delete(ids)
        os._exit(9)


class Nonsense(Contacts):
    """The same, written badly: each method gives what the test wants."""

    gives: ClassVar[dict[str, Any]] = {}

    def find(self, keys: Sequence[Any]) -> Any:
        return self._given("find", super().find(keys))

    def delete(self, ids: Sequence[str]) -> Any:
        return self._given("delete", 0)

    def verify(self, keys: Sequence[Any]) -> Any:
        return self._given("verify", super().verify(keys))

    def _given(self, method: str, usual: Any) -> Any:
        wanted = self.gives.get(method, usual)
        if isinstance(wanted, Exception):
            raise wanted
        return wanted
