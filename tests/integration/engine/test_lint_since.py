"""What changed, as a real repository tells it."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from accord.errors import UsageError
from migrator.lint import changed

pytestmark = pytest.mark.integration


def git(folder: Path, *words: str) -> None:
    named = ["-c", "user.name=x", "-c", "user.email=x@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(folder), *named, *words], check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository whose branch left `main` a while ago: each has changed something since."""
    git(tmp_path, "init", "--initial-branch", "main")
    for name in ("old.py", "edited.py", "gone.py", "theirs.py"):
        (tmp_path / name).write_text("1\n")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-m", "first")
    git(tmp_path, "checkout", "-b", "ours")
    git(tmp_path, "checkout", "main")
    (tmp_path / "theirs.py").write_text("2\n")
    git(tmp_path, "commit", "-am", "theirs")
    git(tmp_path, "checkout", "ours")
    (tmp_path / "edited.py").write_text("2\n")
    (tmp_path / "gone.py").unlink()
    git(tmp_path, "commit", "-am", "ours")
    (tmp_path / "new file.py").write_text("1\n")
    return tmp_path


def test_what_the_branch_changed_and_nothing_else(repository: Path) -> None:
    """Edited and new files; none that is gone, none that only the other branch changed since."""
    found = changed.since("main", repository)

    assert sorted(path.name for path in found) == ["edited.py", "new file.py"]
    assert all(path.is_file() for path in found)


def test_a_folder_within_the_repository_will_do(repository: Path) -> None:
    """A project may stand below the root of its repository."""
    (repository / "below").mkdir()

    assert len(changed.since("main", repository / "below")) == 2


@pytest.mark.parametrize("reference", ["nosuch", "--output=/tmp/x", ""])
def test_what_git_does_not_know_is_said(repository: Path, reference: str) -> None:
    """An unknown reference never means that nothing changed."""
    with pytest.raises(UsageError):
        changed.since(reference, repository)


def test_outside_of_a_repository_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does no repository."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))

    with pytest.raises(UsageError, match="in no repository"):
        changed.since("main", tmp_path)


def test_a_history_that_was_not_fetched_is_said(repository: Path) -> None:
    """A branch that has nothing in common with the other says so, and how a pipeline fetches more."""
    git(repository, "checkout", "--orphan", "apart")
    git(repository, "commit", "--allow-empty", "-m", "apart")

    with pytest.raises(UsageError, match="nothing in common") as caught:
        changed.since("main", repository)

    assert "fetch-depth: 0" in caught.value.hint
