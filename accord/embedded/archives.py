"""
Maven artifacts: found and fetched through jgo, verified, unpacked once for all checkouts.

jgo knows where artifacts are (the user's own jgo configuration included) and
asks a resolver to download one; ours continues a cut download, says how far it
is, and refuses what isn't byte for byte what we tried.
"""

from __future__ import annotations

import hashlib
import http
import shutil
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from accord.embedded import faults, locks, packages
from accord.embedded.errors import EmbeddedFetchFailed, EmbeddedNotInstalled
from accord.events import FetchProgressed, Reporter
from accord.retry import Backoff, again

if TYPE_CHECKING:
    import requests
    from jgo.maven import Artifact as MavenArtifact
    from jgo.maven import MavenContext

_CHUNK = 1 << 16  # what a cut loses at most
_TRIES = 5
_APART = Backoff(first=0.2)
_TIMEOUT = 30
_BETWEEN_EVENTS = 0.1
_FETCH_SECONDS = 1800


@dataclass(frozen=True, kw_only=True)
class Artifact:
    """
    One pinned file of a Maven repository.

    Attributes:
        group: Maven group.
        name: Maven artifact id.
        version: Exact version.
        packaging: `zip` or `jar`.
        sha256: Digest of the only content that is accepted.
    """

    group: str
    name: str
    version: str
    packaging: str
    sha256: str

    @property
    def filename(self) -> str:
        """Name of the file, as the repository has it."""
        return f"{self.name}-{self.version}.{self.packaging}"


@dataclass(frozen=True, kw_only=True)
class Fetcher:
    """
    Brings artifacts into the cache.

    Attributes:
        store: Name of the embedded server, for events and errors.
        cache: The cache folder.
        reporter: Hears how far a download is.
        remotes: Repositories by name, instead of those that jgo is configured with.
    """

    store: str
    cache: Path
    reporter: Reporter
    remotes: dict[str, str] | None = None

    def fetch(self, artifact: Artifact) -> Path:
        """
        Bring one artifact into the cache, unless it is there.

        Args:
            artifact: What to bring.

        Returns:
            The verified file.

        Raises:
            EmbeddedNotInstalled: jgo is missing.
            EmbeddedFetchFailed: It can't be fetched, or isn't what we tried.
        """
        folder = self.cache / "archives"
        final = folder / artifact.filename
        with faults.translated(self.store, folder, variable="ACCORD_CACHE"):
            folder.mkdir(parents=True, exist_ok=True)
            with locks.hold(folder / f".{artifact.filename}.lock", store=self.store, wait=_FETCH_SECONDS):
                if not _is(final, artifact):
                    self._obtain(artifact, final)
        return final

    def _obtain(self, artifact: Artifact, final: Path) -> None:
        part = final.with_name(f"{final.name}.part")
        source = self._maven_artifact(artifact)
        elsewhere = source.cached_path
        if elsewhere is not None and _is(elsewhere, artifact):
            shutil.copyfile(elsewhere, part)
        else:
            self._download(source, part)
        self._verify(artifact, part)
        part.replace(final)

    def _maven_artifact(self, artifact: Artifact) -> MavenArtifact:
        context = _maven_context(self.store, self.remotes)
        project = context.project(artifact.group, artifact.name)
        return project.at_version(artifact.version).artifact(packaging=artifact.packaging)

    def _download(self, source: MavenArtifact, part: Path) -> None:
        place = f"{source.component.path_prefix.as_posix()}/{source.filename}"
        trouble: Exception | None = None
        for remote in source.context.remote_repos.values():
            try:
                return self._download_from(f"{remote}/{place}", source.filename, part)
            except _network_errors() as exc:
                trouble = exc
        raise EmbeddedFetchFailed(
            f"{self.store}: {source.filename} could not be fetched: {_reason(trouble)}.",
            hint="Check the network, the proxy and jgo's configuration, and run the command again: "
            "it goes on where the download was cut.",
        ) from trouble

    def _download_from(self, url: str, what: str, part: Path) -> None:
        again(
            lambda: self._continue(url, what, part),
            when=lambda exc: isinstance(exc, _network_errors()) and not _is_final(exc),
            retries=_TRIES - 1,
            backoff=_APART,
            sleep=time.sleep,
        )

    def _continue(self, url: str, what: str, part: Path) -> None:
        """Fetch what is still missing of a file."""
        import requests

        have = part.stat().st_size if part.exists() else 0
        headers = (
            {"Range": f"bytes={have}-", "Accept-Encoding": "identity"}
            if have
            else {"Accept-Encoding": "identity"}
        )
        with requests.get(url, stream=True, timeout=_TIMEOUT, headers=headers) as answer:
            if answer.status_code == http.HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                return  # all of it is there already; the checksum decides
            answer.raise_for_status()
            have = have if answer.status_code == http.HTTPStatus.PARTIAL_CONTENT else 0
            self._write(answer, what, part, have)

    def _write(self, answer: requests.Response, what: str, part: Path, have: int) -> None:
        length = answer.headers.get("Content-Length")
        total = have + int(length) if length else None
        said = 0.0
        with part.open("r+b" if have else "wb") as file:
            file.seek(have)
            for chunk in answer.iter_content(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                if time.monotonic() - said > _BETWEEN_EVENTS:
                    said = time.monotonic()
                    self.reporter(FetchProgressed(store=self.store, what=what, done=have, total=total))
        self.reporter(FetchProgressed(store=self.store, what=what, done=have, total=total))
        if total is not None and have < total:
            raise ConnectionError(f"the connection was cut after {have} of {total} bytes")

    def _verify(self, artifact: Artifact, part: Path) -> None:
        found = _digest(part)
        if found == artifact.sha256:
            return
        part.unlink()
        raise EmbeddedFetchFailed(
            f"{self.store}: {artifact.filename} has the SHA-256 {found}, expected was {artifact.sha256}. "
            "The file was deleted and nothing of it used.",
            hint="Run the command again. If it happens again, the repository or a proxy changes the file.",
        )


def unpacked(store: str, cache: Path, name: str, build: Callable[[Path], None]) -> Path:
    """
    Make a folder of programs once, shared by all checkouts.

    Args:
        store: Name of the embedded server.
        cache: The cache folder.
        name: The folder's name; it has to change when its content does.
        build: Fills an empty folder.

    Returns:
        The folder, which is there whole or not at all.
    """
    final = cache / "programs" / name
    if final.is_dir():
        return final
    with faults.translated(store, final.parent, variable="ACCORD_CACHE"):
        final.parent.mkdir(parents=True, exist_ok=True)
        with locks.hold(final.parent / f".{name}.lock", store=store, wait=_FETCH_SECONDS):
            if not final.is_dir():
                _build_whole(final, build)
    return final


def _build_whole(final: Path, build: Callable[[Path], None]) -> None:
    """Build beside the place and rename, so that a kill leaves a draft that is never taken for the folder."""
    for leftover in final.parent.glob(f".{final.name}.draft-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{final.name}.draft-", dir=final.parent))
    build(draft)
    draft.rename(final)


def unzip(archive: Path, folder: Path) -> None:
    """Unpack a ZIP whose content was verified."""
    with zipfile.ZipFile(archive) as file:
        file.extractall(folder)


def _maven_context(store: str, remotes: dict[str, str] | None) -> MavenContext:
    """Ask jgo where artifacts come from: its default, and what its configuration file adds or replaces."""
    try:
        from jgo.config import GlobalSettings
        from jgo.maven import MavenContext
    except ImportError as exc:
        raise EmbeddedNotInstalled(
            f"{store}: the package `jgo`, which fetches the server's archive, is not installed.",
            hint=packages.INSTALL_HINT,
        ) from exc
    context = MavenContext(remote_repos=remotes)
    if remotes is None:
        context.remote_repos.update(GlobalSettings.load().repositories)
    return context


def _network_errors() -> tuple[type[OSError], ...]:
    """List what a bad network raises; a full disk raises OSErrors too, and is another matter."""
    import requests

    return (requests.RequestException, ConnectionError, TimeoutError)


def _is_final(exc: OSError) -> bool:
    """Return whether asking again is useless, because the server understood and refused."""
    status = getattr(getattr(exc, "response", None), "status_code", 0)
    return bool(http.HTTPStatus.BAD_REQUEST <= status < http.HTTPStatus.INTERNAL_SERVER_ERROR)


def _is(path: Path, artifact: Artifact) -> bool:
    return path.is_file() and _digest(path) == artifact.sha256


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(trouble: Exception | None) -> str:
    """Describe what went wrong without the address, which may hold a proxy's or a repository's password."""
    if trouble is None:
        return "no repository is configured"
    response = getattr(trouble, "response", None)
    if response is not None:
        return f"the repository answered {response.status_code}"
    return type(trouble).__name__
