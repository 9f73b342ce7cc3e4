"""Pictures that listeners have uploaded: files, which no store of the suite reaches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from django.core.files.storage import FileSystemStorage

FOLDER = "pictures"
"""Below `MEDIA_ROOT`; a folder in it for each listener who has any, named by their number."""


class Pictures:
    """How an erasure finds, deletes and verifies them: the class that the data map names."""

    def __init__(self) -> None:
        self._storage = FileSystemStorage()

    def where(self) -> str:
        """Say where the files are."""
        self._folders()
        return f"files below {FOLDER} in the media folder"

    def find(self, keys: Sequence[int]) -> Iterator[str]:
        """Yield the names of the listeners' files."""
        for key in keys:
            folder = f"{FOLDER}/{int(key)}"
            if self._storage.exists(folder):
                yield from (f"{folder}/{name}" for name in self._storage.listdir(folder)[1])

    def delete(self, ids: Sequence[str]) -> int:
        """Delete files; one that is gone is no error."""
        for name in ids:
            self._storage.delete(name)
        return len(ids)

    def verify(self, keys: Sequence[int]) -> Iterator[str]:
        """Yield what is there still, also what lies deeper than uploads do."""
        wanted = {str(int(key)) for key in keys}
        for folder in self._folders():
            if folder.name in wanted:
                files = (one for one in folder.rglob("*") if one.is_file())
                yield from (str(one.relative_to(folder.parent.parent)) for one in files)

    def export(self, ids: Sequence[str]) -> Iterator[Mapping[str, object]]:
        """Yield what the person may know of each."""
        for name in ids:
            yield {"picture": Path(name).name, "bytes": self._storage.size(name)}

    def _folders(self) -> list[Path]:
        """List what is there; a media folder without pictures holds none, one that can't be read is away."""
        above = Path(self._storage.path(FOLDER))
        return list(above.iterdir()) if above.exists() else []
