"""
How fast people are erased, with a million rows, a million documents and a million indexed documents.

    ./run setup && .venv/bin/python benchmarks/gdpr.py [--pairs N] [--each ROWS] [--together PEOPLE]

It starts servers of its own on 127.0.0.1, migrates and fills the sample project, measures, prints a
table, and stops them. Quote ratios: seconds depend on the machine and on what else it does.

- `batch`: 1,000 approved requests, carried out by one `gdpr_process` with steps, audit events, verification
  and signed receipts, against the bare deletes of the same three places for another 1,000 people: one
  statement a store. Ours over the bare ones in turn; the ratio is theirs by ours. At least 0.50.
- `one`: one person, from filing over plan and approval to the receipt, in a warm process. Under 0.8 s.
- `replay`: MongoDB is restored from before another 1,000 erasures, and `gdpr_replay` repeats them. Under
  twice their time.
- `locators`: how each store finds one person, by its own word. None may read everything.
- `health`: `health_check` on all of it. Under 1 s without the start of the process.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from accord.embedded import EmbeddedCluster
from benchmarks.filling import FIRST, PEOPLE, fill
from benchmarks.measuring import ROOT, Measured, clean_environment, manage, measure, say

GROUP = 1_000
LARGEST = 9_000


@dataclass(frozen=True)
class Pair:
    """
    Ours and the bare deletes, one after the other.

    Attributes:
        ours: One `gdpr_process`.
        bare: Seconds of each store's statement.
    """

    ours: Measured
    bare: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """How much of the bare speed is left."""
        return sum(self.bare.values()) / self.ours.wall


# --- measuring --------------------------------------------------------------------------------------


def staff() -> tuple[Any, Any]:
    """Make whoever files and whoever approves."""
    from django.contrib.auth import get_user_model

    make = get_user_model().objects.create_superuser
    return make("filer"), make("approver")


def approve(people: Sequence[int], filer: Any, approver: Any) -> None:
    """File, plan and approve, which is not measured: people do that one by one, over weeks."""
    from gdpr.datamap.map import load_data_map
    from gdpr.erasure import approvals, encryption, planning, requests, state_changes
    from gdpr.states import Channel, IdentityMethod
    from gdpr.stores.base import opened_stores

    filed = [
        requests.file_request(
            load_data_map().resolve(str(key), "id"),
            by=filer,
            channel=Channel.API,
            identity=IdentityMethod.STAFF,
        )
        for key in people
    ]
    people_of = {one.pk: encryption.keys_of(one) for one in filed}
    with opened_stores() as stores:
        drafts, _ = planning.drafts(people_of, stores)
    for one in filed:
        with state_changes.locked(one) as held:
            plan = planning.digested(people_of[one.pk], drafts[one.pk])
            digest = planning.store(held, plan, filer).digest
        approvals.approve(one, by=approver, digest=digest)


def bare(people: Sequence[int]) -> dict[str, float]:
    """Delete what three stores hold of people, with one statement each, durably."""
    from django.db import connection

    from examples.streaming.stores import collections, search
    from searchindex.transport import at

    keys = list(people)
    store = search()
    path = f"{at(store.names.alias('public-playlists'), '_delete_by_query')}?refresh=true&scroll_size=10000"
    query = {"query": {"terms": {"owner_id": [str(key) for key in keys]}}}
    seconds = {}
    started = time.perf_counter()
    gone = store.transport.request("POST", path, query).body["deleted"]
    seconds["search"] = time.perf_counter() - started
    started = time.perf_counter()
    plays = collections()["plays"].delete_many({"listener_id": {"$in": keys}}).deleted_count
    seconds["mongodb"] = time.perf_counter() - started
    started = time.perf_counter()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM streaming_consent WHERE listener_id = ANY(%s)", [keys])
        rows = cursor.rowcount
        connection.cursor().execute(
            "UPDATE streaming_listener SET email = gen_random_uuid() || '@erased.invalid', "
            "display_name = 'Erased listener', country = 'ZZ', birth_year = NULL WHERE id = ANY(%s)",
            [keys],
        )
    seconds["postgresql"] = time.perf_counter() - started
    if len({gone, plays, rows}) != 1:
        raise SystemExit(f"The stores held different numbers: {gone}, {plays}, {rows}.")
    return seconds


def batches(pairs: int, environment: Mapping[str, str], people: tuple[Any, Any]) -> list[Pair]:
    """Measure ours and the bare deletes in turn, each with people of its own."""
    found = []
    for number in range(pairs):
        start = FIRST + 2 * number * GROUP
        approve(range(start, start + GROUP), *people)
        ours = measure(manage("gdpr_process"), environment)
        require_erased(GROUP * (number + 1))
        found.append(Pair(ours=ours, bare=bare(range(start + GROUP, start + 2 * GROUP))))
    return found


def require_erased(number: int) -> None:
    """Make sure that the measured work was done."""
    from gdpr.erasure import transitions
    from gdpr.models import ErasureRequest, Receipt

    left = ErasureRequest.objects.exclude(state__in=transitions.COMPLETE).count()
    made = Receipt.objects.count()
    if left or made < number:
        raise SystemExit(f"{left} requests are not complete, and there are {made} receipts.")


def one_person(key: int, filer: Any, approver: Any) -> dict[str, float]:
    """Take one person from the demand to the receipt, and give the seconds of each part."""
    from gdpr.datamap.map import load_data_map
    from gdpr.erasure import approvals, planning, requests, saga
    from gdpr.states import Channel, IdentityMethod

    marks = [time.perf_counter()]
    request = requests.file_request(
        load_data_map().resolve(str(key), "id"), by=filer, channel=Channel.API, identity=IdentityMethod.STAFF
    )
    digest = planning.plan(request, by=filer).digest
    marks.append(time.perf_counter())
    approvals.approve(request, by=approver, digest=digest)
    done = saga.work(request)
    marks.append(time.perf_counter())
    if not done.state.startswith("completed"):
        raise SystemExit(f"The request is {done.state}.")
    return {"plan": marks[1] - marks[0], "erase and verify": marks[2] - marks[1], "all": marks[2] - marks[0]}


def locators(key: int) -> list[str]:
    """Ask each store how it finds one person; whatever reads everything, sessions aside, is a failure."""
    from gdpr.datamap.map import load_data_map
    from gdpr.erasure import planning
    from gdpr.stores.base import opened_stores

    the_map = load_data_map()
    lines = []
    with opened_stores() as stores:
        people = {0: the_map.resolve(str(key), "id")}
        keys = planning.collected(people, the_map.to_collect(), stores)[0]
        for entry in the_map.looked_at():
            used = stores[entry.store].explain(entry, keys)
            if not used.uses_index:
                raise SystemExit(f"{entry.id} reads everything: {used.detail}")
            lines.append(f"| {entry.id} | {entry.store} | {'all' if used.read_in_full else 'index'} |")
    return lines


def health(environment: Mapping[str, str]) -> tuple[float, float]:
    """Run every check in this warm process, and the command as cron would."""
    from accord.health import runner as checks

    checks.run_checks(checks.discover())
    started = time.perf_counter()
    checks.run_checks(checks.discover())
    warm = time.perf_counter() - started
    return warm, measure(manage("health_check", "--fail-on", "critical"), environment).wall


def replayed(environment: Mapping[str, str], people: tuple[Any, Any], start: int) -> tuple[float, float]:
    """Give the seconds of a batch, and of its replay after MongoDB was put back to the time before it."""
    keys = range(start, start + GROUP)
    approve(keys, *people)
    restore = kept(list(keys))
    ours = measure(manage("gdpr_process"), environment).wall
    restore()
    again = measure(manage("gdpr_replay", "--noinput"), environment).wall
    if plays_of(list(keys)):
        raise SystemExit("The replay left something.")
    return ours, again


def plays_of(keys: Sequence[int]) -> int:
    """Count the documents of people."""
    from examples.streaming.stores import collections

    return int(collections()["plays"].count_documents({"listener_id": {"$in": list(keys)}}))


def kept(keys: Sequence[int]) -> Callable[[], None]:
    """Keep what MongoDB has of people, and its mark, aside; what is returned puts both back."""
    from accord.seam.registry import opened
    from examples.streaming.stores import collections
    from gdpr.register import epochs

    plays = collections()["plays"]
    documents = list(plays.find({"listener_id": {"$in": list(keys)}}))
    with opened() as stores:
        before = epochs.marked(stores)["mongodb"].read_mark(epochs.NAME) or ""

    def restore() -> None:
        plays.insert_many(documents, ordered=False)
        with epochs.leased("benchmark") as held, opened() as stores:
            store = epochs.marked(stores)["mongodb"]
            store.write_mark(epochs.NAME, before, held, expected=store.read_mark(epochs.NAME))

    return restore


def together(environment: Mapping[str, str], people: tuple[Any, Any], count: int) -> Measured:
    """Carry out many requests by one command."""
    approve(range(FIRST, FIRST + count), *people)
    return measure(manage("gdpr_process"), environment)


# --- telling ----------------------------------------------------------------------------------------


def median(values: Sequence[float]) -> float:
    """Give the middle one."""
    return statistics.median(values)


def tell_batches(pairs: Sequence[Pair], rows: int) -> None:
    """Print the pairs and their median."""
    say(f"\n1,000 people in a batch, {rows} rows in each of three stores; bare: one statement a store\n")
    say("| pair | ours | CPU | peak memory | bare: search, MongoDB, PostgreSQL | bare / ours |")
    say("| --- | --- | --- | --- | --- | --- |")
    for number, pair in enumerate(pairs, 1):
        parts = " + ".join(f"{seconds:.2f}" for seconds in pair.bare.values())
        ours = f"{pair.ours.wall:.2f} s | {pair.ours.cpu:.2f} s | {pair.ours.megabytes:.0f} MB"
        say(f"| {number} | {ours} | {parts} = {sum(pair.bare.values()):.2f} s | {pair.ratio:.2f} |")
    say(f"\nMedian ratio: {median([pair.ratio for pair in pairs]):.2f} (target: at least 0.50)")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--pairs", type=int, default=3, help="batches of ours and of bare deletes (at most 4)"
    )
    parser.add_argument("--each", type=int, default=100, help="rows and documents of each of 10,000 people")
    parser.add_argument(
        "--together", type=int, default=0, help=f"instead of pairs: so many people at once, up to {LARGEST}"
    )
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedCluster(
            Path(folder) / "servers", ("postgres", "mongodb", "opensearch"), die_with_parent=True, delete=True
        ) as cluster,
    ):
        urls = cluster.urls()
        environment = {
            **clean_environment(),
            "DATABASE_URL": urls["postgres"],
            "MONGODB_URL": urls["mongodb"],
            "ELASTICSEARCH_URL": urls["opensearch"],
        }
        measure(manage("migrate_all", "--noinput"), environment)
        inside(options.pairs, options.each, options.together, environment)


def inside(pairs: int, each: int, many: int, environment: Mapping[str, str]) -> None:
    """Go on as a process of the project."""
    import django

    os.environ.update(environment, DJANGO_SETTINGS_MODULE="core.settings")
    os.chdir(ROOT)
    django.setup()
    started = time.perf_counter()
    fill(each)
    seconds = time.perf_counter() - started
    say(f"Filled with {PEOPLE * each} rows, documents and indexed documents in {seconds:.0f} s.")
    people = staff()
    say("\n| entry | store | found by |\n| --- | --- | --- |")
    say("\n".join(locators(FIRST + PEOPLE - 1)))
    ones = [one_person(FIRST + PEOPLE - 2 - number, *people) for number in range(6)][1:]
    say(f"\nOne person, {each} in each store, five times: {json.dumps(medians(ones))} s (target: under 0.8)")
    warm, command = health(environment)
    say(f"\nhealth_check: {warm:.2f} s in a warm process (target: under 1), {command:.2f} s as a command")
    if many:
        found = together(environment, people, many)
        say(f"\n{many} people by one command: {found.wall:.1f} s, {found.megabytes:.0f} MB at most")
        return
    tell_batches(batches(pairs, environment, people), GROUP * each)
    ours, again = replayed(environment, people, FIRST + 2 * pairs * GROUP)
    say(
        f"\nReplay of {GROUP} erasures after a restore of MongoDB: {again:.2f} s, the erasures: {ours:.2f} s,"
    )
    say(f"that is {again / ours:.2f} times theirs (target: under 2)")


def medians(found: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Give the median of each part."""
    return {name: round(median([one[name] for one in found]), 2) for name in found[0]}


if __name__ == "__main__":
    main()
