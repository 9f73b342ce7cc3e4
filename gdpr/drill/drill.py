"""The order of a drill: plant, back up, erase, restore, notice, erase again, look."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings as django_settings

from accord import conf
from accord.embedded import EmbeddedCluster
from accord.errors import UnknownStore
from accord.words import counted
from gdpr.datamap.externals import EXTERNAL
from gdpr.datamap.map import load_data_map
from gdpr.drill import planting
from gdpr.drill.backups import MongoBackup, PostgresBackup
from gdpr.drill.index_backups import SearchBackup
from gdpr.drill.places import MONGODB, POSTGRES, SEARCH, moved, servers
from gdpr.errors import DrillFailed, DrillRefused

VARIABLE = "ACCORD_DRILL"
SETTINGS = "gdpr.drill.settings"
_PEOPLE = 4
"""One is erased before the backup, two behind it, and one stays."""
_LEASE_SECONDS = 60
_SHOWN = 5


@dataclass(frozen=True, kw_only=True)
class Asked:
    """
    What a drill is asked to do.

    Attributes:
        stores: Aliases of the stores to restore; none for every one that has data of people.
        together: Restore all of them at once, and not each alone.
        planter: Dotted path of a function that makes a person; empty for what the models say.
    """

    stores: Sequence[str] = ()
    together: bool = False
    planter: str = ""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """
    A stage that is over.

    Attributes:
        name: Which.
        stores: The stores that it was about; none for all.
        passed: Whether it went as it has to.
        told: What there is to say.
        seconds: How long it took.
    """

    name: str
    passed: bool
    told: str
    seconds: float
    stores: Sequence[str] = field(default=())


Report = Callable[[Stage], None]


class Backup(Protocol):
    """A backup of one store."""

    def make(self) -> None:
        """Back up."""
        ...

    def restore(self) -> None:
        """Make the store as it was."""
        ...


def hold(asked: Asked, report: Report) -> Sequence[Stage]:
    """
    Hold a drill on servers of its own, which are gone when it ends, however it ends.

    Args:
        asked: What to do.
        report: Hears of each stage when it is over.

    Returns:
        The stages; the last one didn't pass where one didn't.

    Raises:
        DrillRefused: It can't be held for this project. Nothing was started.
        EmbeddedError: A server can't be started.
    """
    chosen = _chosen(asked)
    _settings_module()
    if asked.planter:
        planting.planter_of(asked.planter)
    planting.subject()
    with _folder() as root:
        return _Drill(asked, chosen, root, report).run()


def _chosen(asked: Asked) -> Sequence[str]:
    """Return the aliases of the stores to restore, the coordinating database last."""
    coordinator = conf.load().coordinator
    inside = (one for one in load_data_map().entries if not one.store.startswith(EXTERNAL))
    held = dict.fromkeys(one.store for one in inside if one.is_looked_at)
    unknown = [alias for alias in asked.stores if alias not in held]
    if unknown:
        raise UnknownStore(
            f"The data map has nothing of anybody in a store “{unknown[0]}”.",
            hint=f"Stores with data of people: {', '.join(sorted(held))}.",
        )
    return sorted(asked.stores or held, key=lambda alias: (alias == coordinator, alias))


def _settings_module() -> str:
    name = getattr(django_settings, "SETTINGS_MODULE", "") or os.environ.get("DJANGO_SETTINGS_MODULE", "")
    if not name:
        raise DrillRefused(
            "The settings of this project are no module, so that no other process can have them.",
            hint="Set DJANGO_SETTINGS_MODULE.",
        )
    return str(name)


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder that a server under another account can pass through; it is gone in the end."""
    root = Path(tempfile.mkdtemp(prefix="accord-drill-"))
    root.chmod(0o711)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


class _Drill:
    """A drill under way."""

    def __init__(self, asked: Asked, chosen: Sequence[str], root: Path, report: Report) -> None:
        self._asked = asked
        self._chosen = chosen
        self._report = report
        self._own = root / "drill"
        self._own.mkdir(mode=0o700)
        self._cluster = EmbeddedCluster(root, servers(), die_with_parent=True, delete=True)
        self._stages: list[Stage] = []
        self._people: Sequence[str] = ()
        self._there: Any = None

    def run(self) -> Sequence[Stage]:
        groups = [self._chosen] if self._asked.together else [[one] for one in self._chosen]
        try:
            passed = (
                self._stage("servers", self._start)
                and self._stage("migrate", self._migrate)
                and self._stage("plant", self._plant)
                and self._stage("back up", self._back_up)
                and self._stage("erase", lambda: self._erase(self._people[1:3]))
            )
            for group in groups if passed else ():
                if not self._tried(group):
                    break
        finally:
            self._cluster.stop()
        return self._stages

    def _tried(self, group: Sequence[str]) -> bool:
        return (
            self._stage("restore", lambda: self._restore(group), group)
            and self._stage("detect", lambda: self._detect(group), group)
            and self._stage("replay", lambda: self._replay(group), group)
            and self._stage("verify", self._verify, group)
        )

    def _stage(self, name: str, work: Callable[[], str], stores: Sequence[str] = ()) -> bool:
        began = time.monotonic()
        try:
            told, passed = work(), True
        except DrillFailed as exc:
            told, passed = f"{exc.message} {exc.hint}".rstrip(), False
        seconds = round(time.monotonic() - began, 1)
        self._stages.append(Stage(name=name, stores=tuple(stores), passed=passed, told=told, seconds=seconds))
        self._report(self._stages[-1])
        return passed

    # --- the stages ------------------------------------------------------------------------------

    def _start(self) -> str:
        self._cluster.start()
        self._moved = moved(self._cluster.urls(), self._own)
        said = {**self._moved.for_settings(), "settings": _settings_module(), "folder": str(self._own)}
        self._file("places.json").write_text(json.dumps(said), encoding="utf-8")
        return ", ".join(f"{one.name} {one.version}" for one in self._cluster.status())

    def _migrate(self) -> str:
        for backup in self._backups().values():
            if isinstance(backup, PostgresBackup):
                backup.recreate()
        for name in self._moved.further:
            PostgresBackup(self._cluster.urls()["postgres"], name, self._own).recreate()
        self._act("migrate")
        return f"{counted(len(self._moved.places), 'store')} up to date"

    def _plant(self) -> str:
        found = self._act("plant", people=_PEOPLE, planter=self._asked.planter)
        self._people = found["people"]
        self._there = self._looked(erased=[], others=self._people)
        if not self._there:
            raise DrillFailed("Nothing is found of the people who were planted.")
        places = self._there[-1]
        left = [f"{entry} ({why})" for entry, why in found["left_out"].items() if entry not in places]
        more = f"; nothing in {', '.join(left[:_SHOWN])}" if left else ""
        more += f" and {len(left) - _SHOWN} more" if len(left) > _SHOWN else ""
        return f"{_PEOPLE} people, each in {counted(len(places), 'place')} of the data map{more}"

    def _back_up(self) -> str:
        self._erase(self._people[:1])
        for backup in self._backups().values():
            backup.make()
        return f"{', '.join(self._moved.places)}, after one person was erased"

    def _erase(self, people: Sequence[str]) -> str:
        undone = self._act("erase", people=people)["undone"]
        if undone:
            raise DrillFailed(f"Erasures did not end: {', '.join(undone.values())}.")
        erased = self._people[: self._people.index(people[-1]) + 1]
        self._require_gone(erased)
        return f"{len(people)} more erased; nothing is left of them, and nobody else was touched"

    def _restore(self, group: Sequence[str]) -> str:
        backups = self._backups()
        for alias in group:
            backups[alias].restore()
        return f"{', '.join(group)} as before the erasures"

    def _detect(self, group: Sequence[str]) -> str:
        found = self._act("detect")
        missing = [alias for alias in group if alias not in found["message"]]
        if found["level"] != "critical" or missing:
            raise DrillFailed(f"The restore was not noticed: {found['message']}")
        return str(found["message"])

    def _replay(self, group: Sequence[str]) -> str:
        found = self._act("replay", wait=_LEASE_SECONDS)
        stores, troubles = found["stores"], ", ".join(found["troubles"])
        waiting = [f"{one['store']}: {set(one['waiting'].values())}" for one in stores if not one["finished"]]
        if waiting or not stores:
            told = ", ".join(waiting) or "no store to replay"
            raise DrillFailed(f"The replay did not end: {told}; steps: {troubles or 'none'}.")
        return f"{counted(sum(len(one['done']) for one in stores), 'erasure')} repeated"

    def _verify(self) -> str:
        self._require_gone(self._people[:3])
        found = self._act("detect")
        if found["level"] != "ok":
            raise DrillFailed(f"The register says: {found['message']}")
        return "nobody who was erased is found, and nobody else was touched"

    # --- what they share ---------------------------------------------------------------------------

    def _require_gone(self, erased: Sequence[str]) -> None:
        others = self._people[len(erased) :]
        found = self._act("look", erased=erased, others=others)
        if any(found["left"]):
            raise DrillFailed(f"Of people who were erased is left: {found['left']}.")
        if found["there"] != self._there[len(erased) :]:
            raise DrillFailed(f"Others were touched: {found['there']}, before: {self._there[len(erased) :]}.")

    def _looked(self, erased: Sequence[str], others: Sequence[str]) -> Any:
        return self._act("look", erased=erased, others=others)["there"]

    def _backups(self) -> Mapping[str, Backup]:
        kinds: Mapping[str, Callable[[str, str, Path], Backup]] = {
            POSTGRES: PostgresBackup,
            MONGODB: MongoBackup,
            SEARCH: SearchBackup,
        }
        urls = self._cluster.urls()
        of_kind = {POSTGRES: "postgres", MONGODB: "mongodb", SEARCH: "opensearch"}
        return {
            alias: kinds[one.kind](urls[of_kind[one.kind]], one.name, self._file(f"{alias}.backup"))
            for alias, one in self._moved.places.items()
        }

    def _file(self, name: str) -> Path:
        return self._own / name

    def _act(self, name: str, **said: Any) -> Any:
        """Have another process do something to the stores of the drill, and give what it answered."""
        answer, log = self._file("answer.json"), self._file("log")
        answer.unlink(missing_ok=True)
        command = [sys.executable, "-m", "gdpr.drill.child", name, str(answer)]
        with log.open("w+", encoding="utf-8") as output:
            done = subprocess.run(
                command, input=json.dumps(said), text=True, check=False, env=self._environment(),
                stdout=output, stderr=output, start_new_session=True,
            )  # fmt: skip
            output.seek(0)
            told = output.read().strip()
        if done.returncode or not answer.exists():
            raise DrillFailed(f"“{name}” ended with code {done.returncode}.", hint=told[-2000:])
        return json.loads(answer.read_text(encoding="utf-8"))

    def _environment(self) -> Mapping[str, str]:
        return {
            **{name: self._moved.instead.get(value, value) for name, value in os.environ.items()},
            "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path),
            "DJANGO_SETTINGS_MODULE": SETTINGS,
            VARIABLE: str(self._file("places.json")),
        }
