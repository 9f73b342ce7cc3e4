"""Fixtures of the browser: a site that serves the sample project, and headless Chromium looking at it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tests.children import die_with_parent
from tests.fix_project import ROOT, Project

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Page

ARTEFACTS = ROOT / "artefacts" / "screenshots"
PASSWORD = "correct horse battery staple"
_START_SECONDS = 60
_ANSWER_SECONDS = 60
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Site:
    """
    A running site.

    Attributes:
        project: The project that it serves.
        url: Where it listens.
    """

    project: Project
    url: str

    def add_user(self, name: str, *, superuser: bool = True, permissions: tuple[str, ...] = ()) -> str:
        """Make a member of staff, and give the name back."""
        code = (
            "from django.contrib.auth.models import Permission, User\n"
            f"user = User.objects.create_user({name!r}, password={PASSWORD!r}, is_staff=True)\n"
            f"user.is_superuser = {superuser}\n"
            "user.save()\n"
            f"user.user_permissions.set(Permission.objects.filter(codename__in={permissions!r}))\n"
        )
        self.project.manage("shell", "--verbosity", "0", "-c", code)
        return name

    def sign_in(self, page: Page, name: str) -> None:
        """Sign in by the admin's form."""
        page.goto(f"{self.url}/admin/login/")
        page.fill("#id_username", name)
        page.fill("#id_password", PASSWORD)
        page.click("input[type=submit]")
        page.wait_for_selector("#user-tools")

    def send(
        self, method: str, path: str, body: Any = None, *, token: str = "", **headers: str
    ) -> tuple[int, Any]:
        """
        Ask the API as a program does.

        Args:
            method: Of HTTP.
            path: Address below `api/v1`.
            body: What is sent as JSON, if anything.
            token: Of whoever asks.
            headers: Further headers, with `_` in the place of `-`.

        Returns:
            The status, and the JSON document that was answered.
        """
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if token:
            sent["Authorization"] = f"Token {token}"
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=_ANSWER_SECONDS)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(
                method, f"/api/v1/{path}", content, {**sent, "Content-Type": "application/json"}
            )
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def token(self, name: str) -> str:
        """Sign in to the API."""
        status, answer = self.send("POST", "token/", {"username": name, "password": PASSWORD})
        assert status == HTTPStatus.OK, answer
        token: str = answer["token"]
        return token


def take_picture(page: Page, name: str) -> Path:
    """Keep a screenshot of the whole page as an artefact."""
    ARTEFACTS.mkdir(parents=True, exist_ok=True)
    path = ARTEFACTS / f"{name}.png"
    # A page that is still loading is measured without its sidebar, and comes out too short.
    page.wait_for_load_state("load")
    # What stays in sight while one scrolls would lie across the middle of a page taken as a whole.
    decide = "document.querySelectorAll('.accord-decide').forEach((bar) => { bar.style.position = '%s'; })"
    page.evaluate(decide % "static")
    page.screenshot(path=path, full_page=True)
    page.evaluate(decide % "")
    return path


@pytest.fixture
def serve() -> Iterator[Callable[..., Site]]:
    """Give a function that serves a project until the test ends, and logs to a file if one is given."""
    running: list[subprocess.Popen[bytes]] = []

    def start(project: Project, log: Path | None = None) -> Site:
        port = _free_port()
        # Without DEBUG, runserver gives out no style sheets unless it is told to.
        words = ("runserver", "--noreload", "--insecure", f"127.0.0.1:{port}")
        with (log or Path(os.devnull)).open("ab") as out:
            running.append(
                subprocess.Popen(
                    [sys.executable, "manage.py", *words],
                    cwd=ROOT,
                    env=project.environment,
                    stdout=out,
                    stderr=out,
                    preexec_fn=die_with_parent,  # noqa: PLW1509 - a killed test run must leave no server
                )
            )
        _wait_for(port, running[-1])
        return Site(project=project, url=f"http://127.0.0.1:{port}")

    yield start
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def chromium() -> Iterator[Browser]:
    """
    Give the system's Chromium, headless, for one test.

    Playwright keeps an event loop in this thread for as long as it runs, and Django then refuses
    its databases to every other test of the process: it ends with the test.
    """
    from playwright.sync_api import sync_playwright

    path = os.environ.get("ACCORD_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.fail("The browser tests need Chromium; on Debian and Ubuntu: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Give a page with cookies of its own; whatever the site's policy kept from it is a fault of the site."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    refused: list[str] = []
    made = context.new_page()

    def hear(said: ConsoleMessage) -> None:
        # What a screenshot adds by itself has no address.
        if "Content Security" in said.text and said.location["url"]:
            refused.append(said.text)

    made.on("console", hear)
    yield made
    context.close()
    assert refused == []


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/admin/login/")
            connection.getresponse().read()
        except OSError:
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise AssertionError("the site did not start")
