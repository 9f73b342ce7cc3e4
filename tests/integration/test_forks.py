"""A program that is forked does and leaves what a new Python would."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.forks import Finished, can_fork, run_python

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[2]
SAY_WHERE = "import os, sys; print(__name__, sys.argv, sys.path, os.getcwd(), sorted(os.environ.items()))"

AT_THE_END = (
    "import atexit, threading; atexit.register(print, 'end'); threading.Timer(0.1, print, 'x').start()"
)


def anew(*arguments: str, env: Mapping[str, str], cwd: Path) -> Finished:
    return subprocess.run(
        [sys.executable, *arguments], env=dict(env), cwd=cwd, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("-c", SAY_WHERE, "one", "--two"),
        ("where.py", "one", "--two"),
        ("-m", "where", "one"),
        ("-c", "import sys; print(sys.stdin.read() + 'é'); sys.exit(7)"),
        ("-c", "import sys; sys.exit('a text')"),
        ("-c", "import os, signal; print('unsaid', flush=True); os.kill(os.getpid(), signal.SIGKILL)"),
        ("-c", AT_THE_END),
        ("-c", "import os; print(sorted(os.listdir('/proc/self/fd')))"),
        ("-c", "from django.conf import settings; print(settings.configured)"),
        (
            "-c",
            "import sys; print({'accord', 'core', 'gdpr', 'migrator'} & set(sys.modules))",
        ),
        ("-c", "import warnings; warnings.warn('one'); warnings.warn('two', ResourceWarning)"),
    ],
)
def test_fork_is_like_a_new_python(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """Arguments, paths, variables, files, warnings, what is said and the exit code are the same."""
    (tmp_path / "where.py").write_text(SAY_WHERE)
    env = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}", "OF_ITS_OWN": "1"}

    forked = run_python(arguments, env=env, cwd=tmp_path)
    new = anew(*arguments, env=env, cwd=tmp_path)

    assert (forked.returncode, forked.stdout, forked.stderr) == (new.returncode, new.stdout, new.stderr)


def test_error_is_told_and_ends_with_one() -> None:
    """The traceback ends with the program's own lines."""
    done = run_python(("-c", "1 / 0"), env=os.environ, cwd=ROOT)

    assert done.returncode == 1
    assert done.stderr.endswith('File "<string>", line 1, in <module>\nZeroDivisionError: division by zero\n')


def test_what_is_said_to_python_itself_needs_a_new_one() -> None:
    """Flags, and variables that are read at its start."""
    assert can_fork(("manage.py", "check"), os.environ)
    assert not can_fork(("-W", "ignore", "-c", ""), os.environ)
    assert not can_fork(("manage.py", "check"), {**os.environ, "PYTHONIOENCODING": "ascii"})


def test_what_takes_too_long_is_killed() -> None:
    """What it has said is in the error."""
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"

    with pytest.raises(subprocess.TimeoutExpired) as failed:
        run_python(("-c", code), env=os.environ, cwd=ROOT, timeout=1)

    pid = int(failed.value.output)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
