"""`accord_embedded` in a project that isn't ours: servers for its tests, and nothing left of them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fix_workshop import ROOT

pytestmark = pytest.mark.acceptance

INI = """
[pytest]
DJANGO_SETTINGS_MODULE = shop_settings
accord_embedded = {servers}
addopts = --import-mode=importlib -p no:cacheprovider -p no:anyio -p no:faker -p no:schemathesis
"""
SETTINGS = """
import os
import environ
SECRET_KEY = "a key for tests alone, of more than fifty characters in all"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "accord", "migrator"]
DATABASES = {"default": environ.Env.db_url_config(os.environ["SHOP_DATABASE"])}
"""
OWN_SETTINGS = SETTINGS.replace(
    'environ.Env.db_url_config(os.environ["SHOP_DATABASE"])', 'embedded.database("nowhere")'
).replace("import environ", "from pathlib import Path\nfrom accord import embedded")
TESTS = """
import os
from pathlib import Path
import pytest
from django.db import connection


@pytest.mark.django_db
@pytest.mark.parametrize("number", range(4))
def test_database(number):
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('data_directory')")
        folder, = cursor.fetchone()
    worker = os.environ.get("PYTEST_XDIST_WORKER", "none")
    with open("seen", "a") as seen:
        print(worker, os.environ.get("ACCORD_HOME", "none"), folder, file=seen)
"""
WAITS = TESTS + "\n    import time; time.sleep(120)\n"


class Shop:
    """A small project with tests in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write()

    def write(self, *, settings: str = SETTINGS, tests: str = TESTS, servers: str = "") -> None:
        """Write its files."""
        ini = INI.format(servers=servers or "postgres=SHOP_DATABASE")
        files = {"pytest.ini": ini, "shop_settings.py": settings, "test_shop.py": tests}
        for name, text in files.items():
            (self.folder / name).write_text(text)

    def start(self, *flags: str, **variables: str) -> subprocess.Popen[str]:
        """Start its tests, with the plugin that an installed wheel brings."""
        own = ("PYTEST", "DJANGO", "DATABASE_URL", "ACCORD_HOME")
        left = {name: value for name, value in os.environ.items() if not name.startswith(own)}
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "accord.pytest_plugin", *flags, "test_shop.py"],
            cwd=self.folder,
            env={**left, "PYTHONPATH": f"{ROOT}{os.pathsep}{self.folder}", **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def run(self, *flags: str, **variables: str) -> tuple[int, str]:
        """Run its tests to their end."""
        started = self.start(*flags, **variables)
        said, _ = started.communicate(timeout=120)
        return started.returncode, said

    def seen(self) -> set[tuple[str, Path, Path]]:
        """Return which worker met a server of which home, with its data in which folder."""
        file = self.folder / "seen"
        lines = [line.split() for line in file.read_text().splitlines()] if file.exists() else []
        return {(worker, Path(home), Path(data)) for worker, home, data in lines}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Give the project."""
    return Shop(tmp_path)


def until(holds: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def processes_in(folder: Path) -> list[str]:
    """Name the processes that have a folder in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes()
        except OSError:
            continue
        if os.fsencode(folder) in line:
            found.append(line.decode(errors="replace"))
    return found


@pytest.mark.by_turns(3)
def test_all_workers_share_servers_that_are_gone_afterwards(shop: Shop) -> None:
    """Nothing is set but two lines of pytest.ini; the settings find the address as they are read."""
    code, said = shop.run("-n", "2")

    assert code == 0, said
    assert "4 passed" in said
    assert {worker for worker, _, _ in shop.seen()} == {"gw0", "gw1"}
    [(home, data)] = {(home, data) for _, home, data in shop.seen()}
    assert not any(folder.exists() or processes_in(folder) for folder in (home, data))


@pytest.mark.by_turns(3)
def test_a_killed_run_leaves_no_server_behind(shop: Shop) -> None:
    """SIGKILL in the middle of a test: the server ends, and its folder goes."""
    shop.write(tests=WAITS, settings=OWN_SETTINGS)
    running = shop.start()
    until(lambda: shop.seen() or running.poll() is not None)
    [(_, home, data)] = shop.seen()
    assert home.exists()
    assert processes_in(data)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=30)

    until(lambda: not (processes_in(data) or processes_in(home) or data.exists() or home.exists()))


def test_what_can_not_be_started_is_told_as_usage(shop: Shop) -> None:
    """Before settings are read, in a line and a hint, and with pytest's own exit code for it."""
    shop.write(servers="postgres mongo")
    code, said = shop.run()

    assert code == 4, said
    assert "no embedded server named 'mongo'" in said
    assert "Choose from postgres" in said
    assert "Traceback" not in said


@pytest.mark.by_turns(3)
def test_listing_tests_starts_nothing(shop: Shop) -> None:
    """An editor that asks for the tests every few seconds waits for no server."""
    code, said = shop.run("--collect-only", "-q")

    assert code == 0, said
    assert "4 tests collected" in said
    assert shop.seen() == set()


@pytest.mark.by_turns(3)
def test_a_server_of_the_machine_stays_the_one(shop: Shop, new_database: Callable[[], str]) -> None:
    """A variable that is set is left alone, and the header says so without the address."""
    code, said = shop.run(SHOP_DATABASE=new_database())

    assert code == 0, said
    assert "SHOP_DATABASE as it is set" in said
    assert "postgres://" not in said
    assert {str(home) for _, home, _ in shop.seen()} == {"none"}
