"""
The plugin of pytest: test stores beside the test databases that pytest-django makes.

It is found by itself where the suite is installed. Stores are isolated from the beginning of the session;
they are made when pytest-django's `django_db_setup` has made its databases, and removed before those are.
Where `accord_embedded` names servers, they are started before Django's settings are read.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from accord.seam.registry import Registry
    from accord.test_servers import ServersOfARun

_MADE = pytest.StashKey[bool]()
_SERVERS: pytest.StashKey[ServersOfARun] = pytest.StashKey()
_LOOKS_ONLY = ("help", "version", "collectonly", "markers", "showfixtures", "show_fixtures_per_test")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that names servers."""
    parser.addini(
        "accord_embedded",
        "Accord: servers to start for a run of tests (postgres, mongodb, opensearch, elasticsearch), each as "
        "SERVER or SERVER=VARIABLE; a variable that is set already is left as it is.",
        type="args",
        default=[],
    )


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start servers before anybody reads Django's settings; pytest-django does so in this very hook."""
    # Workers of xdist inherit the addresses from the process that started them.
    if (words := early_config.getini("accord_embedded")) and not os.environ.get("PYTEST_XDIST_WORKER"):
        _start_servers(early_config, words)
    return (yield)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say which servers run."""
    servers = config.stash.get(_SERVERS, None)
    return [servers.told()] if servers else []


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Isolate every store, before a test is even collected."""
    if config.pluginmanager.hasplugin("django") and _is_configured():
        from accord import isolation

        isolation.begin(_suffix(config))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, None, None]:
    """Add the hint of an error of the suite's to what is shown of it."""
    try:
        return (yield)
    except Exception as exc:
        if str(getattr(exc, "code", "")).startswith("ACC-") and (hint := getattr(exc, "hint", "")):
            exc.add_note(hint)
        raise


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
) -> Generator[None, Any, Any]:
    """Make the test stores once Django's test databases are there, whoever makes them."""
    if fixturedef.argname != "django_db_setup" or not _is_configured():
        return (yield)
    from accord import isolation

    if not request.session.stash.get(_MADE, False):
        isolation.remember_databases()
    outcome = yield
    if not request.session.stash.get(_MADE, False):
        _make(fixturedef, request)
    return outcome


@pytest.fixture
def accord_stores(db: None) -> Iterator[Registry]:  # noqa: ARG001 - asked for its effect
    """Give the test stores by alias, with every revision applied."""
    from accord import conf, isolation
    from accord.seam.registry import opened

    isolation.refuse_real(conf.load().coordinator)
    with opened() as stores:
        yield stores


@pytest.fixture
def migrations(transactional_db: None) -> Iterator[Any]:  # noqa: ARG001 - asked for its effect
    """
    Give the migrations of the test stores: `.to("shop.0003")`, `.latest()`, `.there_and_back("shop")`.

    Afterwards every store is brought back to the newest step.
    """
    from accord.test_runner import steps_in_tests

    steps = steps_in_tests()
    yield steps
    steps.latest()


def _start_servers(config: pytest.Config, words: list[str]) -> None:
    from accord import test_servers
    from accord.errors import AccordError

    looks_only = any(getattr(config.known_args_namespace, name, False) for name in _LOOKS_ONLY)
    try:
        servers = test_servers.ServersOfARun(test_servers.parse(words))
        config.add_cleanup(servers.end)
        servers.begin(start=not looks_only)
    except AccordError as exc:
        raise pytest.UsageError(f"{exc}\n{exc.hint}") from exc
    config.stash[_SERVERS] = servers


def _make(fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest) -> None:
    from accord import conf, isolation
    from accord.errors import AccordError
    from accord.test_runner import prepare, remove

    if not conf.load().stores or isolation.is_real(conf.load().coordinator):
        # No test declares the coordinating database, or a fixture of the project's own made none.
        return
    blocker = request.getfixturevalue("django_db_blocker")
    keep = bool(request.config.getoption("reuse_db", default=False))

    def drop() -> None:
        request.session.stash[_MADE] = False
        if not keep:
            with blocker.unblock():
                remove()()

    anew = request.config.getoption("create_db", default=False)
    try:
        with blocker.unblock():
            prepare(keep=keep and not anew)()
    except AccordError as exc:
        # The fixture itself is made and stays, so that the tests after this one would meet no stores.
        request.session.shouldfail = f"The test stores can't be made: {exc}"
        pytest.fail(f"The test stores can't be made: {exc}\n  {exc.hint}", pytrace=False)
    request.session.stash[_MADE] = True
    fixturedef.addfinalizer(drop)


def _is_configured() -> bool:
    """Return whether Django's settings name the suite among the apps; without settings nothing is loaded."""
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        from django.conf import settings

        if not settings.configured:
            return False
    from django.apps import apps

    return apps.ready and apps.is_installed("accord")


def _suffix(config: pytest.Config) -> str:
    """Return what pytest-django puts behind the names of databases."""
    worker = getattr(config, "workerinput", {}).get("workerid", "")
    return "_".join(part for part in (os.environ.get("TOX_PARALLEL_ENV", ""), worker) if part)
