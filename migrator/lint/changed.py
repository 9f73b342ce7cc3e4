"""Which files a branch changes, as git tells it."""

from __future__ import annotations

import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

from accord.errors import UsageError

_FETCHED = "In a pipeline, fetch the whole history (GitHub: fetch-depth: 0; GitLab: GIT_DEPTH: 0)."


def since(reference: str, folder: Path) -> Collection[Path]:
    """
    Return the files that differ from where this branch left another, with those that git doesn't know yet.

    Args:
        reference: A branch, a tag or a commit.
        folder: A folder of the repository.

    Raises:
        UsageError: There is no git, no repository, no such reference, or nothing in common with it.
    """
    if reference.startswith("-"):
        raise UsageError(f"“{reference}” is no reference of git.", hint="Name a branch, a tag or a commit.")
    root = Path(
        _git(folder, "rev-parse", "--show-toplevel", fact=f"{folder} is in no repository of git.").strip()
    )
    unknown = f"git knows no “{reference}” in {root}."
    _git(root, "rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}", fact=unknown)
    apart = f"This branch has nothing in common with “{reference}”."
    base = _git(root, "merge-base", reference, "HEAD", fact=apart).strip()
    changed = _git(root, "diff", "--name-only", "-z", "--diff-filter=d", base)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return {(root / name).resolve() for name in (changed + new).split("\0") if name}


def _git(folder: Path, *words: str, fact: str = "") -> str:
    said = _run(["git", "-C", str(folder), *words])
    if said.returncode:
        last = (said.stderr.strip().splitlines() or [f"git {words[0]} failed"])[-1]
        raise UsageError(fact or f"git: {last}", hint=_FETCHED)
    return said.stdout


def _run(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as exc:
        raise UsageError("--since asks git, and there is none here.", hint="Install git.") from exc
