"""The last look at a live store: how long it counts, what is told of it, and that a broken file is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import override_settings
from pytest_django.fixtures import Settings

from accord import conf
from accord.clock import now
from accord.errors import ConfigurationError
from accord.health.runner import Finding, Level, discover
from migrator import live_health
from migrator.engine import live_kept, live_settings
from migrator.engine.live_kept import Grant, KeptLook

HOUR = 3600.0
LOOK = KeptLook(
    at=now(),
    fence=7,
    place="",
    looked=3,
    differences=1,
    undeclared=0,
    unknown=2,
    shown=("The index a is missing.",),
)


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    """Let looks be kept in a folder of the test's own, for an hour."""
    settings.ACCORD = {**settings.ACCORD, "LIVE_DRIFT": {"every": HOUR, "answers": str(tmp_path)}}
    return tmp_path


def kept(**changes: object) -> KeptLook:
    """Keep a look at the default store, and return it as it is read again."""
    settings = conf.load()
    place = live_kept._place(settings, "default")
    live_kept.keep(settings, "default", replace(LOOK, **{"place": place, **changes}))  # type: ignore[arg-type]
    found = live_kept.last(settings, "default")
    assert found is not None
    return found


def last() -> Finding:
    """Return what is told without a look."""
    [found] = live_health.last_look("default")
    return found


# --- what is kept --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_look_is_read_as_it_was_kept() -> None:
    """With its moment, the run before it, and the first differences."""
    found = kept()

    assert replace(found, place="") == LOOK


def test_broken_file_or_another_server_is_no_look(folder: Path, settings: Settings) -> None:
    """Cut off, of another form, without a zone, or about a database that the settings don't name."""
    kept()
    whole = (folder / "default.json").read_text()
    for broken in (
        whole[:40],
        "[]",
        "{}",
        whole.replace("accord.live_answer/1", "x"),
        whole.replace("+00:00", ""),
    ):
        (folder / "default.json").write_text(broken)
        assert live_kept.last(conf.load(), "default") is None
        assert last().level is Level.UNKNOWN
    (folder / "default.json").write_text(whole)
    assert last().level is Level.WARN

    settings.ACCORD = {**settings.ACCORD, "ENVIRONMENT": "elsewhere"}
    assert live_kept.last(conf.load(), "default") is None


def test_file_holds_no_password(folder: Path, settings: Settings) -> None:
    """Which server it is about is told by a mark that only the project's secret makes."""
    stores = {**settings.ACCORD["STORES"]}
    stores["search"] = {**stores["search"], "URL": "http://me:hunter2@127.0.0.1:1"}
    with override_settings(ACCORD={**settings.ACCORD, "STORES": stores}):
        place = live_kept._place(conf.load(), "search")
        live_kept.keep(conf.load(), "search", replace(LOOK, place=place))

    assert "hunter2" not in (folder / "search.json").read_text()
    assert live_kept.last(conf.load(), "search") is None


def test_folder_that_cant_be_written_ends_nothing(settings: Settings, tmp_path: Path) -> None:
    """The next one who asks looks again."""
    (tmp_path / "file").touch()
    settings.ACCORD = {**settings.ACCORD, "LIVE_DRIFT": {"answers": str(tmp_path / "file")}}

    live_kept.keep(conf.load(), "default", LOOK)

    assert live_kept.last(conf.load(), "default") is None


# --- what is told --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("folder")
def test_last_look_is_told_with_its_age() -> None:
    """As a warning where something differed; as nothing known once its time is long over."""
    kept(at=now() - timedelta(minutes=10))
    found = last()
    assert (found.level, found.value, found.ready) == (Level.WARN, 1, True)
    assert found.age == pytest.approx(600, abs=30)
    assert "0:10:00 ago: 3 applied steps, 1 difference, and 2 things could not be looked at." in found.message
    assert "The index a is missing." in found.message
    assert "--check-live" in found.hint

    kept(differences=0, shown=())
    assert (last().level, last().value) == (Level.OK, 0)
    kept(differences=0, shown=(), undeclared=2, named=("by_hand", "things.by_hand"))
    assert last().level is Level.OK
    assert "2 undeclared things" in last().message
    assert "Nobody declares by_hand, things.by_hand." in last().message
    kept(differences=5)
    assert "And 4 more." in last().message
    for at in (now() - timedelta(hours=2), now() + timedelta(hours=1)):
        kept(at=at, differences=0, shown=())
        assert last().level is Level.UNKNOWN


@pytest.mark.usefixtures("folder")
def test_nobody_has_looked_is_unknown() -> None:
    """It is never told as well."""
    assert (last().level, last().message) == (Level.UNKNOWN, "Nobody has looked yet.")


@pytest.fixture
def looking(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Callable[[Grant], Finding]:
    """Ask the check where the lease stands so; a look that is made says so."""
    made = replace(LOOK, differences=0, shown=(), looked=99)

    def look(at_work: Grant) -> Finding:
        monkeypatch.setattr(live_kept, "grant", lambda _settings: at_work)
        monkeypatch.setattr(live_health, "_look", lambda _settings, alias: live_health.judge(alias, made, 0))
        [found] = live_health.look_at_store("default")
        return found

    return look


def test_it_is_looked_anew_once_the_interval_is_over_or_a_run_came_after(
    looking: Callable[[Grant], Finding],
) -> None:
    """An answer from before a run says nothing of what that run made; a run at work is waited for."""
    idle, later, at_work = Grant(fence=7, held=False), Grant(fence=8, held=False), Grant(fence=8, held=True)

    assert "99 applied steps" in looking(idle).message
    kept()
    assert "1 difference" in looking(idle).message
    assert "99 applied steps" in looking(later).message
    kept(at=now() - timedelta(seconds=HOUR + 1))
    assert "99 applied steps" in looking(idle).message
    assert looking(at_work).level is Level.UNKNOWN


def test_readiness_never_looks_at_live_drift() -> None:
    """A server whose index somebody dropped goes on taking requests."""
    checks = [check for check in discover() if check.name.startswith("live.")]

    assert {check.name for check in checks} >= {"live.default", "live.mongodb", "live.search"}
    assert not any(check.readiness for check in checks)
    assert all(check.last for check in checks)


# --- settings ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        ({"evry": 5}, "evry"),
        ({"every": 0}, "a number of seconds above 0"),
        ({"every": True}, "a number of seconds above 0"),
        ({"answers": ""}, "the path of a folder"),
        ({"ignore": "legacy_*"}, "a list of patterns"),
        ({"ignore": ["legacy_*", 5]}, "a list of patterns"),
    ],
)
def test_wrong_setting_is_refused(raw: dict[str, object], said: str) -> None:
    """With its name, and what it should be."""
    with pytest.raises(ConfigurationError, match=said):
        live_settings.parse(raw)
