"""Health checks: levels and exit codes, checks that hang or break, and how a report is written."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from threading import Event

import pytest

from accord import health_checks
from accord.errors import StoreUnavailable, UsageError
from accord.health import formats
from accord.health.runner import Check, Finding, HealthReport, Level, discover, run_checks, select, worst
from accord.views import Readiness

GIB = 2**30


def finding(level: Level = Level.OK, name: str = "store.default", **changes: object) -> Finding:
    """Make a finding."""
    return Finding(name=name, level=level, message="It is so.", **changes)  # type: ignore[arg-type]  # any field


def check(name: str, *levels: Level) -> Check:
    """Make a check that finds these levels."""
    return Check(name=name, look=lambda: [finding(level, name) for level in levels])


def report(*levels: Level) -> HealthReport:
    """Make a report of findings of these levels."""
    return HealthReport(findings=tuple(finding(level, f"part.{n}") for n, level in enumerate(levels)))


@pytest.fixture
def never() -> Iterator[Event]:
    """Give an event that nobody sets before the test is over, and leave no thread waiting for it."""
    event = Event()
    yield event
    event.set()
    for thread in threading.enumerate():
        if thread.name.startswith("health "):
            thread.join()


# --- levels ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("levels", "heaviest"),
    [
        ([], Level.OK),
        ([Level.OK, Level.WARN], Level.WARN),
        ([Level.WARN, Level.UNKNOWN], Level.UNKNOWN),
        ([Level.UNKNOWN, Level.CRITICAL, Level.OK], Level.CRITICAL),
    ],
)
def test_a_known_outage_outweighs_the_unknown_and_that_a_warning(
    levels: list[Level], heaviest: Level
) -> None:
    """The order of weight is ok, warn, unknown, critical."""
    assert worst(levels) is heaviest


@pytest.mark.parametrize(
    ("level", "from_warn", "from_critical"),
    [(Level.OK, 0, 0), (Level.WARN, 1, 0), (Level.CRITICAL, 2, 2), (Level.UNKNOWN, 3, 3)],
)
def test_exit_code_is_that_of_monitoring_systems(level: Level, from_warn: int, from_critical: int) -> None:
    """0 ok, 1 warn, 2 critical, 3 unknown; --fail-on critical lets warnings pass."""
    found = report(Level.OK, level)

    assert found.exit_code() == from_warn
    assert found.exit_code(Level.CRITICAL) == from_critical


def test_a_warning_does_not_keep_requests_away() -> None:
    """Ready means: nothing critical, nothing unknown, and no finding that says otherwise."""
    pending = HealthReport(findings=(finding(Level.WARN, ready=False),))

    assert report(Level.OK, Level.WARN).ready
    assert not report(Level.UNKNOWN).ready
    assert not report(Level.CRITICAL).ready
    assert not pending.ready


@pytest.mark.parametrize(
    ("free", "total", "level"),
    [
        (50 * GIB, 1000 * GIB, Level.OK),
        (9 * GIB, 1000 * GIB, Level.WARN),
        (1 * GIB, 1000 * GIB, Level.CRITICAL),
        (2 * GIB, 15 * GIB, Level.OK),
        (GIB, 15 * GIB, Level.WARN),
        (GIB // 2, 15 * GIB, Level.CRITICAL),
    ],
)
def test_disk_is_low_by_share_and_by_size(free: int, total: int, level: Level) -> None:
    """Neither a big disk with a small share left nor a small disk with few bytes left cries too early."""
    assert health_checks.disk_level(free, total) is level


# --- which checks ------------------------------------------------------------------------------------


def test_every_part_of_the_suite_brings_its_checks() -> None:
    """Checks are found by the name of a module, in whatever app it is."""
    names = {found.name for found in discover()}

    assert names >= {
        *(
            "store.default",
            "store.mongodb",
            "store.search",
            "audit",
            "disk",
            "migrations",
            "lease",
            "break_glass",
        ),
        *("replica.mongodb", "aliases.search", "cluster.search", "break_glass"),
        *("erasure.deadlines", "erasure.requests", "erasure.steps", "erasure.holds", "erasure.keys"),
    }


def test_a_name_selects_what_begins_with_it_up_to_a_dot() -> None:
    """`store` means every store, and not what merely begins with the same letters."""
    checks = [check("store.default"), check("store.search"), check("storehouse")]

    assert [found.name for found in select(checks, ["store"])] == ["store.default", "store.search"]
    assert [found.name for found in select(checks, ["store.search"])] == ["store.search"]
    assert select(checks, []) == checks


def test_a_name_that_is_printed_selects_its_finding() -> None:
    """What a report names can be asked for alone, with what stands below it."""
    parts = ("migrations.default", "migrations.default.drift", "migrations.mongodb")
    checks = [
        check("audit", Level.OK),
        Check(name="migrations", look=lambda: [finding(name=part) for part in parts], parts=parts),
    ]

    def names(*wanted: str) -> list[str]:
        return [found.name for found in run_checks(select(checks, wanted)).findings]

    assert names("migrations.default") == ["migrations.default", "migrations.default.drift"]
    assert names("migrations.default.drift") == ["migrations.default.drift"]
    assert names("migrations.mongodb", "audit") == ["audit", "migrations.mongodb"]
    assert names("migrations") == list(parts)


def test_a_check_that_fails_as_a_whole_is_told_to_who_asks_for_a_part() -> None:
    """A file that can't be used speaks of no store; it must not read as nothing found."""
    broken = Check(name="migrations", look=lambda: [finding(name="migrations")], parts=["migrations.default"])

    report = run_checks(select([broken], ["migrations.default"]))

    assert [found.name for found in report.findings] == ["migrations"]


def test_every_finding_of_the_suite_can_be_asked_for() -> None:
    """The parts that a check declares are names below its own; an unknown one lists them."""
    checks = discover()

    assert all(part.startswith(f"{one.name}.") for one in checks for part in one.parts)
    with pytest.raises(UsageError) as refused:
        select(checks, ["migrations.nosuch"])
    for name in ("migrations.default.drift", "disk.project", "guards.gdpr", "store.default"):
        assert name in refused.value.hint


def test_an_unknown_name_is_refused_with_those_there_are() -> None:
    """A watch that watches nothing must not look healthy."""
    with pytest.raises(UsageError, match="no health check “stores”") as refused:
        select([check("store.default")], ["stores"])

    assert "store.default" in refused.value.hint


# --- running -----------------------------------------------------------------------------------------


def test_a_check_that_hangs_is_unknown_and_holds_up_nobody(never: Event) -> None:
    """It is named once its time is over; the others' findings are there."""
    checks = [
        Check(name="hangs", look=lambda: [finding()] if never.wait() else []),
        check("answers", Level.OK),
    ]
    started = time.monotonic()

    found = run_checks(checks, timeout=0.2)

    assert time.monotonic() - started < 5
    assert [(one.name, one.level) for one in found.findings] == [
        ("hangs", Level.UNKNOWN),
        ("answers", Level.OK),
    ]
    assert found.hung == ("hangs",)


def test_a_check_that_still_hangs_is_not_begun_again(never: Event) -> None:
    """A server that is probed each second doesn't collect threads of a store that is frozen."""
    begun: list[str] = []

    def look() -> Iterable[Finding]:
        begun.append("")
        never.wait()
        return ()

    reports = [run_checks([Check(name="freezes", look=look)], timeout=0.1) for _ in range(3)]

    assert len(begun) == 1
    assert [found.level for found in reports] == [Level.UNKNOWN] * 3


def test_checks_run_side_by_side() -> None:
    """Each of these ends only once the other has begun."""
    both = threading.Barrier(2)

    def look() -> Iterable[Finding]:
        both.wait(timeout=10)
        return [finding()]

    found = run_checks([Check(name="one", look=look), Check(name="other", look=look)])

    assert found.level is Level.OK


def test_a_check_that_breaks_tells_no_secret_and_no_trace() -> None:
    """Of a foreign error only the class is told; of ours the text, without credentials."""

    def breaks() -> Iterable[Finding]:
        raise RuntimeError("postgresql://shop:hunter2@db/shop")

    def refuses() -> Iterable[Finding]:
        raise StoreUnavailable("postgresql://shop:hunter2@db/shop is away", hint="password=hunter2")

    found = run_checks([Check(name="breaks", look=breaks), Check(name="refuses", look=refuses)])
    written = formats.text(found) + str(formats.document(found, exit_code=3))

    assert [one.level for one in found.findings] == [Level.UNKNOWN, Level.UNKNOWN]
    assert "RuntimeError" in written
    assert "hunter2" not in written
    assert "Traceback" not in written


# --- formats -----------------------------------------------------------------------------------------


def test_the_first_line_says_it_all_and_so_does_the_last() -> None:
    """Mails and pagers show the first line; on a terminal the last one is in sight."""
    first, *rest = formats.text(report(Level.OK, Level.CRITICAL, Level.WARN)).splitlines()

    assert first.startswith("CRITICAL: 1 critical, 1 warn, 1 ok")
    assert len(rest) == 4
    assert rest[-1] == first


def test_a_hint_stands_below_what_is_not_ok() -> None:
    """Where nothing is to be done, no advice is given."""
    found = HealthReport(findings=(finding(hint="Rest."), finding(Level.WARN, hint="Act.")))

    written = formats.text(found)

    assert "Act." in written
    assert "Rest." not in written


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (None, "", ""),
        (7, "", "7"),
        (0.0123, "seconds", "12.3 ms"),
        (0, "seconds", "0 ms"),
        (7200, "seconds", "2 h"),
        (3.5 * GIB, "bytes", "3.5 GiB"),
    ],
)
def test_numbers_are_written_for_people(value: float | None, unit: str, written: str) -> None:
    """Seconds and bytes come in the unit that fits."""
    assert formats.amount(value, unit) == written


def test_json_holds_every_field_of_a_finding() -> None:
    """The document has a schema, the code that the command exits with, and nulls for what isn't known."""
    found = HealthReport(findings=(finding(Level.WARN, value=3, threshold=1, hint="Act."),), seconds=0.1234)

    document = formats.document(found, exit_code=1)

    assert document == {
        "schema": "accord.health/1",
        "level": "warn",
        "exit_code": 1,
        "ready": True,
        "seconds": 0.123,
        "findings": [
            {
                "name": "store.default",
                "level": "warn",
                "value": 3,
                "unit": "",
                "threshold": 1,
                "age": None,
                "message": "It is so.",
                "hint": "Act.",
            }
        ],
    }


def test_prometheus_reads_one_sample_a_series() -> None:
    """A series that came twice would cost the whole file; labels are escaped."""
    found = HealthReport(
        findings=(
            finding(name='a"b'),
            finding(Level.WARN, value=0.25, unit="seconds"),
            finding(Level.CRITICAL, value=0.5, unit="seconds"),
        ),
        seconds=1.5,
    )

    lines = formats.prometheus(found, now=1_700_000_000).splitlines()
    samples = [line for line in lines if not line.startswith("#")]

    assert r'accord_health_level{check="a\"b"} 0' in samples
    assert 'accord_health_level{check="store.default"} 2' in samples
    assert 'accord_health_value{check="store.default",unit="seconds"} 0.5' in samples
    assert "accord_health_timestamp_seconds 1700000000" in samples
    assert len({line.rpartition(" ")[0] for line in samples}) == len(samples)
    assert not any("threshold" in line for line in lines)


# --- readiness ---------------------------------------------------------------------------------------


def test_many_probes_cost_as_much_as_one() -> None:
    """An answer counts for some seconds, then the checks run again."""
    answers = iter([report(Level.OK), report(Level.CRITICAL)])
    now = [100.0]
    readiness = Readiness(lambda: next(answers), keep=5, now=lambda: now[0])

    first = [readiness.report().ready for _ in range(10)]
    now[0] += 5
    later = readiness.report().ready

    assert first == [True] * 10
    assert not later


def test_a_folder_that_is_not_there_yet_is_on_the_disk_of_the_one_above(tmp_path: Path) -> None:
    """The first signed head makes its folder; until then the disk can be looked at all the same."""
    assert health_checks._existing(tmp_path / "not" / "yet") == tmp_path
