"""What the entry script `./run` decides before it does anything."""

from __future__ import annotations

import importlib.util
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).resolve().parents[3] / "run"


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load the script, with its virtual environment moved into a folder of the test."""
    loader = SourceFileLoader("entry_script", str(SCRIPT))
    spec = importlib.util.spec_from_loader("entry_script", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    venv = tmp_path / ".venv"
    (venv / "bin").mkdir(parents=True)
    monkeypatch.setattr(module, "VENV", venv)
    monkeypatch.setattr(module, "PYTHON", venv / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", venv / "stamp")
    return module


def test_arguments_after_tests_go_to_pytest(script: ModuleType) -> None:
    """Whatever the script doesn't know is pytest's."""
    known = script.parse(["tests", "-k", "lease", "tests/unit"])

    assert known.pytest == ["-k", "lease", "tests/unit"]


def test_unknown_argument_of_another_job_is_refused(script: ModuleType) -> None:
    """A typing mistake ends with a usage error instead of being ignored."""
    with pytest.raises(SystemExit) as caught:
        script.parse(["demo", "--listener", "3", "--plan"])

    assert caught.value.code == 2


def test_environment_without_a_stamp_is_made_anew(script: ModuleType) -> None:
    """A kill during the installation leaves no stamp, and nothing half-installed is used."""
    script.PYTHON.touch()

    assert not script.is_sound()


def test_environment_that_was_moved_is_made_anew(script: ModuleType) -> None:
    """Its programs name the folder that they were installed in."""
    script.PYTHON.touch()
    script.STAMP.write_text("/somewhere/else/.venv\n")

    assert not script.is_sound()


def test_changed_pins_are_installed(script: ModuleType, tmp_path: Path) -> None:
    """The stamp knows the content of the pins and not only their file's name."""
    pins = tmp_path / "requirements.txt"
    pins.write_text("Django==5.2.1\n")
    script.STAMP.write_text(f"{script.VENV}\n{script.digest(pins)}\n")

    pins.write_text("Django==5.2.2\n")

    assert not script.is_prepared(pins)


def test_jobs_never_see_the_urls_of_the_shell(script: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo or a test run can't reach the servers that somebody works with."""
    monkeypatch.setenv("DATABASE_URL", "postgresql://shop.example/shop")

    built = script.environment(ACCORD_ENV="test")

    assert built["DATABASE_URL"] == ""
    assert built["ACCORD_ENV"] == "test"


@pytest.mark.parametrize(("value", "answer"), [("true", True), ("1", True), ("", False), ("false", False)])
def test_ci_is_recognised(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, value: str, *, answer: bool
) -> None:
    """Only a CI variable that says so counts."""
    monkeypatch.setenv("CI", value)

    assert script.is_ci() is answer


@pytest.mark.parametrize(
    ("asked", "workers"),
    [((), ["-n", "2", "--dist", "worksteal"]), (("-n0",), []), (("-x", "-n", "4"), [])],
)
def test_two_workers_take_work_from_each_other_unless_told_otherwise(
    script: ModuleType, asked: tuple[str, ...], workers: list[str]
) -> None:
    """What is said on the command line goes first, and comes last."""
    assert script.pytest(*asked)[1:] == ["-m", "pytest", *workers, *asked]


def test_soak_takes_a_seed_minutes_and_what_is_meant_for_pytest(script: ModuleType) -> None:
    """Further arguments go to pytest, as those of `./run tests` do; other jobs take none."""
    known = script.parse(["soak", "--seed", "7", "--minutes", "1.5", "-k", "mongodb"])

    assert (known.job, known.seed, known.minutes) == (script.soak, 7, 1.5)
    assert known.pytest == ["-k", "mongodb"]
    with pytest.raises(SystemExit):
        script.parse(["check", "-k", "mongodb"])


def test_linters_run_beside_and_are_stopped_with_the_tests(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Their output comes afterwards and whole; an interruption ends them, too."""
    program = tmp_path / "linters"
    program.write_text("import time; print('looked', flush=True); time.sleep(0.2); raise SystemExit(3)")
    monkeypatch.setattr(script, "__file__", str(program))

    with script.linters_beside() as linters:
        pass
    assert linters.returncode == 3
    assert "looked" in capsys.readouterr().err

    program.write_text("import time; time.sleep(600)")
    with pytest.raises(KeyboardInterrupt), script.linters_beside() as endless:
        raise KeyboardInterrupt
    assert endless.returncode not in (None, 0)


def test_files_of_tests_are_in_memory_and_gone_afterwards(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What a killed run left goes; that of a living one stays."""
    monkeypatch.delenv("TMPDIR", raising=False)
    monkeypatch.setattr(script, "MEMORY", tmp_path)
    monkeypatch.setattr(script, "MEMORY_NEEDED", 0)
    killed, living = tmp_path / "accord-tests-4999999", tmp_path / "accord-tests-1"
    killed.mkdir()
    living.mkdir()

    with script.files_in_memory() as place:
        folder = Path(place["TMPDIR"])
        (folder / "data").mkdir()
        assert folder.is_relative_to(tmp_path)

    assert not folder.exists()
    assert not killed.exists()
    assert living.exists()


def test_files_stay_on_the_disk_where_memory_is_short_or_a_place_is_named(
    script: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody's own TMPDIR counts, and a machine isn't driven out of memory."""
    monkeypatch.setattr(script, "MEMORY", tmp_path)
    monkeypatch.setattr(script, "MEMORY_NEEDED", 2**60)
    monkeypatch.delenv("TMPDIR", raising=False)
    with script.files_in_memory() as place:
        assert place == {}

    monkeypatch.setattr(script, "MEMORY_NEEDED", 0)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with script.files_in_memory() as place:
        assert place == {}
