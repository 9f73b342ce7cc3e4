"""Archives come whole or not at all: cut, wrong, missing, and two at once."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from accord.embedded.archives import Artifact, Fetcher, unpacked
from accord.embedded.errors import EmbeddedDataUnusable, EmbeddedFetchFailed
from accord.events import FetchProgressed, Reporter, silent
from accord.testing import RecordingReporter

pytestmark = pytest.mark.integration

CONTENT = bytes(range(256)) * 20_000  # 5 MB
ARTIFACT = Artifact(
    group="org.example",
    name="engine",
    version="1.0",
    packaging="zip",
    sha256=hashlib.sha256(CONTENT).hexdigest(),
)


@dataclass
class Repository:
    """A Maven repository on this machine that can cut its answers."""

    content: bytes = CONTENT
    cuts: int = 0
    status: int = 200
    ranges: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    address: str = ""

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        start = int(re.sub(r"\D", "", request.headers.get("Range", "0")))
        self.ranges.append(start)
        self.paths.append(request.path)
        body = self.content[start:] if self.status == 200 else b""
        request.send_response(206 if start and self.status == 200 else self.status)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        if self.cuts:
            self.cuts -= 1
            body = body[: len(body) // 2]
            request.close_connection = True
        request.wfile.write(body)


@contextmanager
def serving(repository: Repository) -> Iterator[Repository]:
    """Serve a repository for the length of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            repository.answer(self)

        def log_message(self, *unused: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        repository.address = f"http://127.0.0.1:{server.server_port}/maven"
        try:
            yield repository
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(autouse=True)
def no_other_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what the user's own Maven cache holds out of the tests."""
    monkeypatch.setenv("M2_REPO", str(tmp_path / "m2"))


def fetcher(cache: Path, repository: Repository, reporter: Reporter = silent) -> Fetcher:
    remotes = {"here": repository.address}
    return Fetcher(store="opensearch", cache=cache, reporter=reporter, remotes=remotes)


def test_cut_download_is_continued_where_it_stopped(tmp_path: Path) -> None:
    """The bytes that came are not asked for again, and the sizes that are told never go back."""
    heard = RecordingReporter()
    with serving(Repository(cuts=1)) as repository:
        found = fetcher(tmp_path, repository, heard).fetch(ARTIFACT)

    assert found.read_bytes() == CONTENT
    first, second = repository.ranges
    assert first == 0
    assert 0 <= len(CONTENT) // 2 - second < 2**16
    assert repository.paths[0] == "/maven/org/example/engine/1.0/engine-1.0.zip"
    sizes = [event.done for event in heard.events if isinstance(event, FetchProgressed)]
    assert sizes == sorted(sizes)
    assert sizes[-1] == len(CONTENT)
    assert {event.total for event in heard.events if isinstance(event, FetchProgressed)} == {len(CONTENT)}


def test_download_is_continued_by_a_later_command(tmp_path: Path) -> None:
    """What a killed command left is used by the next one."""
    part = tmp_path / "archives" / f"{ARTIFACT.filename}.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT[:1_000_000])
    with serving(Repository()) as repository:
        found = fetcher(tmp_path, repository).fetch(ARTIFACT)

    assert found.read_bytes() == CONTENT
    assert repository.ranges == [1_000_000]
    assert not part.exists()


def test_file_with_another_checksum_is_refused_and_deleted(tmp_path: Path) -> None:
    """Nothing of a changed file stays, and the next command begins from the start."""
    with serving(Repository(content=CONTENT[:-1] + b"x")) as repository:
        with pytest.raises(EmbeddedFetchFailed) as caught:
            fetcher(tmp_path, repository).fetch(ARTIFACT)
        repository.content = CONTENT
        found = fetcher(tmp_path, repository).fetch(ARTIFACT)

    assert ARTIFACT.sha256 in caught.value.message
    assert found.read_bytes() == CONTENT
    assert repository.ranges == [0, 0]


def test_fetched_file_is_not_fetched_again(tmp_path: Path) -> None:
    """A second command finds it in the cache; one that was damaged since is replaced."""
    with serving(Repository()) as repository:
        found = fetcher(tmp_path, repository).fetch(ARTIFACT)
        fetcher(tmp_path, repository).fetch(ARTIFACT)
        assert len(repository.ranges) == 1

        found.write_bytes(b"damaged")

        assert fetcher(tmp_path, repository).fetch(ARTIFACT).read_bytes() == CONTENT


def test_missing_file_is_reported_without_the_address(tmp_path: Path) -> None:
    """A repository's address may hold a password, so the message has only its answer."""
    with serving(Repository(status=404)) as repository, pytest.raises(EmbeddedFetchFailed) as caught:
        fetcher(tmp_path, repository).fetch(ARTIFACT)

    assert "engine-1.0.zip" in caught.value.message
    assert "404" in caught.value.message
    assert "127.0.0.1" not in str(caught.value) + caught.value.hint
    assert repository.ranges == [0]


def test_full_disk_while_fetching_names_the_cache(tmp_path: Path) -> None:
    """`/dev/full` answers every write with the real error of a full disk."""
    part = tmp_path / "archives" / f"{ARTIFACT.filename}.part"
    part.parent.mkdir()
    part.symlink_to("/dev/full")

    with serving(Repository()) as repository, pytest.raises(EmbeddedDataUnusable) as caught:
        fetcher(tmp_path, repository).fetch(ARTIFACT)

    assert "no space left" in caught.value.message
    assert "ACCORD_CACHE" in caught.value.hint


def test_two_at_once_fetch_once(tmp_path: Path) -> None:
    """The second waits for the first and uses its file."""
    with serving(Repository()) as repository:
        threads = [
            threading.Thread(target=fetcher(tmp_path, repository).fetch, args=[ARTIFACT]) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert len(repository.ranges) == 1


def test_unpacking_that_was_killed_is_done_again(tmp_path: Path) -> None:
    """A half unpacked tree is never taken for a whole one."""
    code = (
        "import os, pathlib, sys; from accord.embedded.archives import unpacked\n"
        "def build(draft):\n"
        "    (draft / 'half').write_text('half'); os.kill(os.getpid(), 9)\n"
        "unpacked('opensearch', pathlib.Path(sys.argv[1]), 'engine-1', build)"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -9
    assert not (tmp_path / "programs/engine-1").exists()

    found = unpacked("opensearch", tmp_path, "engine-1", lambda draft: _write(draft / "whole"))

    assert [path.name for path in found.iterdir()] == ["whole"]
    assert sorted(path.name for path in found.parent.iterdir()) == [".engine-1.lock", "engine-1"]


def _write(path: Path) -> None:
    path.write_text("whole")
