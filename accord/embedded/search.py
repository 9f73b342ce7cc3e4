"""What the two search engines share: folders, settings file, waiting for the cluster."""

from __future__ import annotations

import json
import shutil
from abc import abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from accord.embedded import jvm, ports
from accord.embedded.archives import Fetcher, unpacked
from accord.embedded.base import EmbeddedServer
from accord.events import Reporter, silent

_OK = 200


class SearchServer(EmbeddedServer):
    """A search engine of one node, its program shared read-only and everything else its own."""

    needed_bytes = 200 * 2**20
    recipe: ClassVar[str]
    """Raised when what :meth:`_build` makes of the archives changes."""

    def url(self) -> str:
        return f"http://{ports.HOST}:{self.port}"

    def ensure_installed(self, reporter: Reporter = silent) -> None:
        self._program(reporter)

    def _program(self, reporter: Reporter) -> Path:
        """Find the unpacked distribution; fetch and unpack it the first time."""
        jvm.home(self.name)
        fetcher = Fetcher(store=self.name, cache=self.paths.cache, reporter=reporter)
        distribution = f"{self.name}-{self.version}"
        folder = unpacked(
            self.name,
            self.paths.cache,
            f"{distribution}-{self.recipe}",
            lambda draft: self._build(draft, fetcher),
        )
        return folder / distribution

    @abstractmethod
    def _build(self, draft: Path, fetcher: Fetcher) -> None:
        """Fetch the archives, and make of them the distribution in a folder that is empty so far."""

    def _lay_out(self, settings: Mapping[str, str | int | bool]) -> Path:
        """Write the configuration folder afresh: what it says follows from the code alone."""
        config = self.folder / "config"
        shutil.rmtree(config, ignore_errors=True)
        for folder in (config, self.data, self.folder / "logs", self.folder / "tmp"):
            folder.mkdir(mode=0o700, exist_ok=True)
        (config / f"{self.name}.yml").write_text(_as_yaml(settings), encoding="utf-8")
        return config

    def _settings(self, port: int) -> dict[str, str | int | bool]:
        return {
            "cluster.name": "accord",
            "node.name": self.name,
            "discovery.type": "single-node",
            "network.host": ports.HOST,
            "http.port": port,
            # Nobody joins a single node: the range lets it find a free port by itself.
            "transport.port": "32000-32767",
            "path.data": str(self.data),
            "path.logs": str(self.folder / "logs"),
            # A development machine's disk is often nine tenths full, which would stop new indexes.
            "cluster.routing.allocation.disk.threshold_enabled": False,
            "cluster.max_shards_per_node": 5000,
        }

    def _probe(self, port: int) -> bool:
        from http.client import HTTPConnection, HTTPException

        connection = HTTPConnection(ports.HOST, port, timeout=10)
        try:
            connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=5s")
            answer = connection.getresponse()
            answer.read()
        except (OSError, HTTPException):
            return False
        else:
            return answer.status == _OK
        finally:
            connection.close()


def _as_yaml(settings: Mapping[str, str | int | bool]) -> str:
    """Write flat settings as YAML: every JSON scalar is one."""
    return "".join(f"{key}: {json.dumps(value)}\n" for key, value in settings.items())
