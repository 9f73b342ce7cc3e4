"""
How fast rows and documents go into files and back, beside what a person would pick instead.

    ./run setup && .venv/bin/python benchmarks/data_bulk.py [--rows N] [--only postgres|mongodb|search]

It starts servers of its own on 127.0.0.1, makes a small project, and fills a table, a collection and an
index. For each store it exports and imports by `bulk_export` and `bulk_import`, and by the peer in the same
run: copy of psql, the driver's `find` and `insert_many`, a point in time and `parallel_bulk` of the client.
The time of a command is less the time of the same command on an empty table: what it takes to start.

Targets: 0.85 of psql; 0.8 of find and insert_many; 0.85 of a point in time and 0.9 of parallel_bulk; memory
within 64 MB of that on an empty table. Quote ratios: seconds depend on the machine.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import psycopg2
from pymongo import MongoClient

from accord.embedded import EmbeddedCluster, postgres_binary
from benchmarks.measuring import ROOT, Measured, clean_environment, measure, say

CONFIG = """
import os
from urllib.parse import urlsplit
url = urlsplit(os.environ["POSTGRES"])
SECRET_KEY = "a-benchmark-that-guards-nothing-of-anybody"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "accord", "migrator"]
DATABASES = {"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": url.path[1:], "USER": url.username,
    "PASSWORD": url.password or "", "HOST": url.hostname, "PORT": url.port,
}}
ACCORD = {"PROJECT": "benchmark", "STORES": {
    "mongodb": {"BACKEND": "mongo_migrations.store.MongoStore", "URL": os.environ["MONGODB"]},
    "search": {"BACKEND": "searchindex.store.SearchStore", "URL": os.environ["SEARCH"]},
}}
"""
FIND = """
import os
from pymongo import MongoClient
with MongoClient(os.environ["MONGODB"]) as client:
    for document in client.get_default_database()["{name}"].find():
        pass
"""
INSERT = """
import os
from itertools import islice
from pymongo import MongoClient
with MongoClient(os.environ["MONGODB"]) as client:
    database = client.get_default_database()
    documents = database["{name}"].find()
    while batch := list(islice(documents, 1000)):
        database["{to}"].insert_many(batch, ordered=False)
"""
READ = """
import os
import django; django.setup()
from accord.seam.registry import opened
from searchindex.views import pages
with opened() as stores:
    store = stores["search"]
    for page in pages(store.transport, store.engine, "{name}"):
        pass
"""
BULK = """
import os, json
import django; django.setup()
from accord.seam.registry import opened
from elasticsearch.helpers import parallel_bulk
from searchindex.client import connect
def actions():
    with open("{path}", "rb") as file:
        for action in file:
            own = json.loads(action)["index"]["_id"]
            yield {{"_id": own, "_index": "{to}", "_source": json.loads(next(file))}}
with opened() as stores:
    store = stores["search"]
    with connect(store.transport.endpoint, store.engine) as client:
        for done, item in parallel_bulk(client, actions(), thread_count=4):
            assert done
        client.indices.refresh(index="{to}")
"""


@dataclass(frozen=True)
class Lab:
    """
    Servers, a project, and where files go.

    Attributes:
        folder: For everything.
        urls: Addresses by server.
    """

    folder: Path
    urls: Mapping[str, str]

    @property
    def environment(self) -> dict[str, str]:
        """What commands find in their environment."""
        found = clean_environment()
        names = {"POSTGRES": "postgres", "MONGODB": "mongodb", "SEARCH": "opensearch"}
        return {
            **found,
            **{name: self.urls[server] for name, server in names.items()},
            "DJANGO_SETTINGS_MODULE": "bulk_settings",
            "PYTHONPATH": f"{self.folder}{os.pathsep}{ROOT}",
        }

    def manage(self, *arguments: str) -> Measured:
        """Run a command of the project."""
        return measure([sys.executable, "-m", "django", *arguments], self.environment)

    def code(self, text: str, **names: object) -> Measured:
        """Run a program."""
        return measure([sys.executable, "-c", text.format(**names)], self.environment)

    def out(self, name: str, store: str, *more: str) -> Measured:
        """Export into a folder of that name, which is emptied."""
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return self.manage("bulk_export", name, "--store", store, "--output", str(self.folder / name), *more)

    def back(self, name: str, store: str, to: str) -> Measured:
        """Import what was exported under a name."""
        return self.manage("bulk_import", str(self.folder / name), "--store", store, "--into", to, "--again")

    def sql(self, *statements: str) -> None:
        """Send statements."""
        connection = psycopg2.connect(self.urls["postgres"])
        connection.autocommit = True
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()


def main() -> None:
    """Measure what is asked for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0].strip())
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", choices=tuple(PARTS), action="append")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with EmbeddedCluster(
            folder / "servers", ("postgres", "mongodb", "opensearch"), delete=True
        ) as cluster:
            (folder / "bulk_settings.py").write_text(CONFIG)
            lab = Lab(folder, cluster.urls())
            lab.manage("migrate_all", "--store", "default", "--noinput")
            say(f"{'what':<22}{'seconds':>9}{'peer':>9}{'ratio':>7}{'MB more':>9}")
            for part in asked.only or PARTS:
                PARTS[part](lab, asked.rows)


def postgres(lab: Lab, rows: int) -> None:
    """Measure a table of five columns."""
    columns = "id bigint PRIMARY KEY, name text, price numeric, at timestamptz, note text"
    lab.sql(
        *(f"CREATE TABLE {name} ({columns})" for name in ("filled", "target", "peer", "empty")),
        "INSERT INTO filled SELECT n, 'name ' || n, n / 7.0, now() + n * interval '1 s', md5(n::text) "
        f"FROM generate_series(1, {rows}) n",
        "VACUUM ANALYZE filled",
    )
    file = lab.folder / "peer.csv"
    psql = [str(postgres_binary("psql")), "-q", lab.urls["postgres"], "-c"]

    def copied(statement: str) -> Measured:
        return measure([*psql, statement], lab.environment)

    def emptied() -> Measured:
        lab.sql("TRUNCATE target, peer")
        return lab.back("filled", "default", "target")

    ours, idle, peer = best(
        lambda: lab.out("filled", "default"),
        lambda: lab.out("empty", "default"),
        lambda: copied(rf"\copy filled to '{file}' csv header"),
    )
    told("export a table", ours, idle, peer)
    ours, idle, peer = best(
        emptied,
        lambda: lab.back("empty", "default", "target"),
        lambda: copied(rf"\copy peer from '{file}' csv header"),
    )
    told("import a table", ours, idle, peer)


def mongodb(lab: Lab, rows: int) -> None:
    """Measure a collection of five members a document."""
    with MongoClient[dict[str, object]](lab.urls["mongodb"]) as client:
        database = client.get_default_database()
        for name in ("none", "into"):
            database.create_collection(name)
        for start in range(0, rows, 10_000):
            database["plays"].insert_many([_document(n) for n in range(start, min(rows, start + 10_000))])
    python = lab.code("import pymongo")
    idle = lab.out("none", "mongodb")
    told("export a collection", lab.out("plays", "mongodb"), idle, less(lab.code(FIND, name="plays"), python))
    read = lab.code(FIND, name="plays")
    peer = less(lab.code(INSERT, name="plays", to="peer"), read)
    idle = lab.back("none", "mongodb", "into")
    told("import a collection", lab.back("plays", "mongodb", "into"), idle, peer)


def search(lab: Lab, rows: int) -> None:
    """Measure an index of five members a document."""
    body = {"settings": {"number_of_shards": 1, "number_of_replicas": 0}}
    for name in ("filled", "none", "into", "peer"):
        _ask(lab, "PUT", name, json.dumps(body).encode())
    path = lab.folder / "seed.ndjson"
    with path.open("w") as file:
        for n in range(rows):
            file.write(json.dumps({"index": {"_id": str(n)}}) + "\n" + json.dumps(_document(n)) + "\n")
    python = lab.code("import django; django.setup(); import elasticsearch.helpers")
    lab.code(BULK, path=path, to="filled")
    idle = lab.out("none", "search")
    peer = less(lab.code(READ, name="filled"), python)
    told("export an index", lab.out("filled", "search"), idle, peer)
    peer = less(lab.code(BULK, path=path, to="peer"), python)
    idle = lab.back("none", "search", "into")
    told("import an index", lab.back("filled", "search", "into"), idle, peer)


PARTS: Mapping[str, Callable[[Lab, int], None]] = {
    "postgres": postgres,
    "mongodb": mongodb,
    "search": search,
}


def best(*calls: Callable[[], Measured], times: int = 3) -> list[Measured]:
    """Do several things in turn, some times, and give the quickest of each: others use the machine, too."""
    rounds = [[call() for call in calls] for _ in range(times)]
    return [min(found, key=lambda one: one.wall) for found in zip(*rounds, strict=True)]


def less(one: Measured, other: Measured) -> Measured:
    """Return what one took more than another."""
    return Measured(one.wall - other.wall, one.cpu - other.cpu, one.megabytes)


def told(what: str, ours: Measured, idle: Measured, peer: Measured) -> None:
    """Write a line: a ratio above 1 is faster than the peer."""
    seconds = ours.wall - idle.wall
    more = ours.megabytes - idle.megabytes
    say(f"{what:<22}{seconds:>9.2f}{peer.wall:>9.2f}{peer.wall / seconds:>7.2f}{more:>9.1f}")


def _document(n: int) -> dict[str, object]:
    return {
        "number": n,
        "name": f"name {n}",
        "price": n / 7,
        "at": f"2026-01-01T00:00:{n % 60:02}",
        "note": f"{n:032x}",
    }


def _ask(lab: Lab, method: str, name: str, body: bytes) -> None:
    url = f"{lab.urls['opensearch']}/{name}"
    command: Sequence[str] = (
        "curl",
        "-sf",
        "-X",
        method,
        url,
        "-H",
        "content-type: application/json",
        "-d",
        body.decode(),
    )
    subprocess.run(command, check=True, capture_output=True)


if __name__ == "__main__":
    main()
