"""
Another account for a server that refuses to run as root, and places it can reach.

Never are the rights of a folder loosened that isn't ours: where the account
can't pass, what it needs is put somewhere else instead.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

from accord.embedded.errors import EmbeddedDataUnusable
from accord.embedded.process import Account

# The account is made by nobody: the first of these that the system has is used.
_CANDIDATES = ("postgres", "nobody", "daemon")
_SYSTEM_PLACE = Path("/var/lib")


def for_server() -> Account | None:
    """
    Choose the account for a server that refuses root.

    Returns:
        None for everybody but root: the server then runs as its user.

    Raises:
        EmbeddedDataUnusable: We are root, and the system has no other account at all.
    """
    if os.geteuid() != 0:
        return None
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise EmbeddedDataUnusable(
        "PostgreSQL refuses to run as root, and this system has no other account for it: "
        f"{', '.join(_CANDIDATES)}.",
        hint="Run the command as another user than root, or add one of these accounts.",
    )


def can_reach(account: Account, path: Path) -> bool:
    """Return whether the account may pass every folder above the path, links resolved."""
    return all(_may_pass(account, folder) for folder in (path.resolve().parents))


def _may_pass(account: Account, folder: Path) -> bool:
    try:
        found = folder.stat()
    except OSError:
        return False
    if found.st_uid == account.uid:
        return bool(found.st_mode & stat.S_IXUSR)
    if found.st_gid == account.gid:
        return bool(found.st_mode & stat.S_IXGRP)
    return bool(found.st_mode & stat.S_IXOTH)


def private_folder(wanted_at: Path) -> Path:
    """
    Make a folder for data that can't be where it was wanted, named after that place.

    Args:
        wanted_at: The folder that the account can't reach.

    Returns:
        A folder of the same life expectancy: temporary if the wanted one was.
    """
    digest = hashlib.sha256(os.fsencode(wanted_at)).hexdigest()[:16]
    folder = _place(wanted_at) / digest
    account = for_server()
    folder.mkdir(mode=0o700, exist_ok=True)
    if account is not None:
        os.chown(folder, account.uid, account.gid)
    return folder


def reachable_copy(source: Path, parts: Sequence[str], version: str) -> Path:
    """
    Copy programs out of a closed folder, such as a virtual environment in root's home.

    Args:
        source: The folder they are in.
        parts: What of it is needed.
        version: Names the copy, so that an upgrade makes a new one.

    Returns:
        The folder with the copies, readable by every account; it is there whole or not at all.
    """
    final = _place(_SYSTEM_PLACE) / f"programs-{version}"
    if final.is_dir():
        return final
    draft = Path(tempfile.mkdtemp(prefix="copying-", dir=final.parent))
    draft.chmod(0o755)
    for part in parts:
        shutil.copytree(source / part, draft / part, symlinks=True)
    try:
        draft.rename(final)
    except OSError:  # another command was quicker
        shutil.rmtree(draft, ignore_errors=True)
    return final


def _place(wanted_at: Path) -> Path:
    """Make our own folder in a place that every account can pass: to enter, not to list."""
    temporary = Path(tempfile.gettempdir())
    lasting = os.access(_SYSTEM_PLACE, os.W_OK) and not wanted_at.is_relative_to(temporary)
    place = (_SYSTEM_PLACE if lasting else temporary) / "accord-embedded"
    place.mkdir(mode=0o711, exist_ok=True)
    found = place.lstat()
    # In a folder where all may write, another user could have put one there first.
    if found.st_uid != os.geteuid() or not stat.S_ISDIR(found.st_mode):
        raise EmbeddedDataUnusable(
            f"{place} belongs to somebody else or is no folder.",
            hint="Remove it, then run the command again.",
        )
    return place
