"""Exports and imports of tables: nothing is lost, nothing comes twice, and what is wrong is said."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from pyarrow import parquet

from tests.fix_bulk import ODD, Bulk

pytestmark = pytest.mark.acceptance
SELDOM = pytest.mark.by_turns(3)


@pytest.mark.parametrize(
    "how",
    [
        ("--compress", "gzip"),
        pytest.param(("--compress", "zstd"), marks=SELDOM),
        pytest.param(("--files", "jsonl"), marks=SELDOM),
        pytest.param(("--files", "parquet"), marks=SELDOM),
    ],
    ids=" ".join,
)
def test_airports_come_back_byte_by_byte(bulk: Bulk, how: tuple[str, ...]) -> None:
    """Out in parts, in again, out again: the rows and the files are the same."""
    before = bulk.fill_airports()
    first = bulk.out("airports", "one", "--part-rows", "10000", *how)
    bulk.sql("TRUNCATE airports")
    answer = bulk.back("one")
    second = bulk.out("airports", "two", "--part-rows", "10000", *how)

    assert len(before) > 25_000
    assert [part["rows"] for part in first["parts"]][:-1] == [10_000, 10_000]
    assert answer["rows"] == first["rows"] == len(before)
    assert bulk.content("airports") == before
    assert [part["sha256"] for part in first["parts"]] == [part["sha256"] for part in second["parts"]]
    assert len({part["snapshot"] for part in first["parts"]}) == 1


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        ("csv", "insert"),
        ("jsonl", "upsert"),
        pytest.param("csv", "upsert", marks=SELDOM),
        pytest.param("jsonl", "insert", marks=SELDOM),
        ("parquet", "insert"),
    ],
)
def test_awkward_values_come_back(bulk: Bulk, form: str, mode: str) -> None:
    """NULL and empty texts, quotes, line ends, infinities, bytes: each is what it was."""
    bulk.sql(ODD)
    before = bulk.content("odd")
    bulk.out("odd", "odd", "--files", form)
    bulk.sql("DELETE FROM odd WHERE id <> 2", "UPDATE odd SET word = 'other' WHERE id = 2")
    if mode == "insert":
        bulk.sql("TRUNCATE odd RESTART IDENTITY")
    bulk.back("odd", "--mode", mode)
    bulk.sql("INSERT INTO odd (word) VALUES ('next')")

    found = bulk.content("odd")
    if form == "jsonl":
        # JSON Lines can't have line ends between the members of a value, and has one word for NULL and null.
        before = [row.replace("\n1,\r\n", " 1,  ").replace(",null,null,", ",,,") for row in before]
    assert [row for row in found if "next" not in row] == before
    assert bulk.sql("SELECT max(id) FROM odd") == [(6,)]


def test_merge_keeps_what_the_file_has_as_null(bulk: Bulk) -> None:
    """Of several rows with one key the last one counts; NULL changes nothing."""
    bulk.sql(
        "CREATE TABLE few (id int PRIMARY KEY, a text, b text)", "INSERT INTO few VALUES (1, 'old', 'old')"
    )
    (bulk.folder / "few.csv").write_text("id,a,b\n1,first,\n1,new,\n2,,two\n")
    answer = bulk.back("few.csv", "--into", "few", "--mode", "merge")

    assert answer["rows"] == 2
    assert bulk.content("few") == ["(1,new,old)", "(2,,two)"]


def test_bad_rows_are_dead_letters_with_their_line(bulk: Bulk) -> None:
    """What is around them comes in, whatever the server says of them; the exit code tells of it."""
    bulk.sql(
        "CREATE TABLE kinds (id int PRIMARY KEY)",
        "INSERT INTO kinds VALUES (1)",
        "CREATE TABLE few (id int PRIMARY KEY, word varchar(5) NOT NULL, "
        "kind int REFERENCES kinds DEFERRABLE INITIALLY DEFERRED)",
    )
    lines = [b"id,word,kind", b'1,"a\nb",1', b"x,word,1", b"2,toolong,1", b"3,,1", b"4,four,9", b"1,again,1"]
    lines += [b"5,\xe9t\xe9,1", b"6,six", b"7,seven,1"]
    (bulk.folder / "few.csv").write_bytes(b"\n".join(lines) + b"\n")
    done = bulk.run("bulk_import", bulk.folder / "few.csv", "--into", "few", "--format", "json")
    letters = bulk.letters(json.loads(done.stdout))
    again = bulk.run("bulk_import", bulk.folder / "few.csv", "--into", "few", "--format", "json")

    assert done.returncode == 1
    assert bulk.sql("SELECT id FROM few ORDER BY 1") == [(1,), (7,)]
    assert [letter["line"] for letter in letters] == [4, 5, 6, 7, 8, 9, 10]
    codes = ["22P02", "22001", "23502", "23503", "23505", "22021", "22P04"]
    assert [letter["reason"][-6:-1] for letter in letters] == codes
    assert letters[0]["row"] == "x,word,1"
    assert json.loads(again.stdout)["before"] is True


def test_thousands_of_bad_rows_and_the_word_that_ends_copy_lose_nothing(bulk: Bulk) -> None:
    """What stands behind them comes in; and the sequence goes on behind 1, the first number it had given."""
    bulk.sql("CREATE TABLE few (id serial PRIMARY KEY)")
    lines = ["id", *["x"] * 2500, "\\.", *["x"] * 2, "1"]
    (bulk.folder / "few.csv").write_text("\n".join(lines) + "\n")
    call = ("bulk_import", bulk.folder / "few.csv", "--into", "few", "--dead-letters-at-most", "9999")
    done = bulk.run(*call, "--format", "json")
    letters = bulk.letters(json.loads(done.stdout))
    bulk.sql("INSERT INTO few DEFAULT VALUES")

    assert done.returncode == 1
    assert len(letters) == 2503
    assert [letters[2500]["line"], letters[2500]["row"]] == [2502, "\\."]
    assert bulk.sql("SELECT id FROM few ORDER BY 1") == [(1,), (2,)]


def test_rows_without_a_key_are_rows_of_their_own(bulk: Bulk) -> None:
    """NULL is no key: upsert makes a row of each."""
    bulk.sql("CREATE TABLE few (mail text UNIQUE, a int)", "INSERT INTO few VALUES ('x', 1)")
    (bulk.folder / "few.csv").write_text("mail,a\nx,2\n,3\n,4\nx,5\n")
    answer = bulk.back("few.csv", "--into", "few", "--mode", "upsert", "--key", "mail")

    assert answer["rows"] == 3
    assert bulk.content("few") == ["(,3)", "(,4)", "(x,5)"]


@SELDOM
def test_too_many_bad_rows_end_it(bulk: Bulk) -> None:
    """A file for another table isn't turned into a million dead letters; a higher number goes on."""
    bulk.sql("CREATE TABLE few (id int PRIMARY KEY)")
    (bulk.folder / "few.csv").write_text("id\n" + "x\n" * 20 + "1\n")
    refused = bulk.run("bulk_import", bulk.folder / "few.csv", "--into", "few", "--dead-letters-at-most", "9")

    assert refused.returncode == 1
    assert "ACC-621" in refused.stderr


def test_files_that_are_not_what_the_manifest_says_are_refused(bulk: Bulk) -> None:
    """Cut short, another file, another header, no manifest: nothing is written."""
    bulk.fill_airports(50)
    bulk.out("airports", "one")
    bulk.sql("TRUNCATE airports")
    part = bulk.folder / "one" / "part-00000.csv"
    whole = part.read_bytes()
    cases = {
        "cut short": whole[:-1],
        "is another": whole.replace(b"US", b"UK"),
        "another header": whole,
    }
    for says, content in cases.items():
        part.write_bytes(content)
        if says == "another header":
            told = bulk.manifest("one")
            told["columns"][0]["name"] = "oaci"
            (bulk.folder / "one" / "manifest.json").write_text(json.dumps(told))
        done = bulk.run("bulk_import", bulk.folder / "one")
        assert done.returncode == 2, says
        assert "ACC-620" in done.stderr
        assert says in done.stderr
    (bulk.folder / "one" / "manifest.json").unlink()
    assert "ACC-620" in bulk.run("bulk_import", bulk.folder / "one").stderr
    (bulk.folder / "latin.csv").write_bytes("ïcao,name\n".encode("latin-1"))
    assert "UTF-8" in bulk.run("bulk_import", bulk.folder / "latin.csv", "--into", "airports").stderr
    (bulk.folder / "other.csv").write_text("icao,wings\n")
    assert "wings" in bulk.run("bulk_import", bulk.folder / "other.csv", "--into", "airports").stderr
    assert bulk.content("airports") == []


KILLED = """
import os, signal, sys
import django; django.setup()
from accord.bulk import importing, records
from migrator.relational.bulk.positions import Positions
records.batches.__defaults__ = (4096,)
real, counted = Positions.move, [0]
def move(self, before, after):
    real(self, before, after)
    counted[0] += 1
    if counted[0] == 5:
        if "{when}" == "behind":
            self._connection.commit()
        os.kill(os.getpid(), signal.SIGKILL)
Positions.move = move
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


@pytest.mark.parametrize("when", ["before", pytest.param("behind", marks=SELDOM)])
def test_killed_import_goes_on_and_nothing_comes_twice(bulk: Bulk, when: str) -> None:
    """Killed before or behind the commit of a batch: each row once, each dead letter once."""
    bulk.sql("CREATE TABLE few (id int, word text)")
    rows = [f"{number},{'x' * 40}" if number % 100 else f"bad{number},x" for number in range(1, 1001)]
    (bulk.folder / "few.csv.gz").write_bytes(gzip.compress(("id,word\n" + "\n".join(rows)).encode()))
    call = ("bulk_import", str(bulk.folder / "few.csv.gz"), "--into", "few")
    killed = bulk.project.run("-c", KILLED.format(when=when), *call, program=())
    between = bulk.sql("SELECT count(*) FROM few")[0][0]
    done = bulk.run(*call, "--format", "json")
    answer = json.loads(done.stdout)

    assert killed.returncode == -9
    assert 0 < between < 990
    assert bulk.sql("SELECT count(*), count(DISTINCT id) FROM few") == [(990, 990)]
    assert answer["rows"] == 990
    assert [letter["line"] for letter in bulk.letters(answer)] == [1 + 100 * n for n in range(1, 11)]


def test_parquet_has_types_and_bare_files_of_it_come_in(bulk: Bulk) -> None:
    """Numbers and truth values are what they are; NULL and an empty text differ; an empty table is a file."""
    bulk.sql(
        "CREATE TABLE few (id int PRIMARY KEY, yes bool, part double precision, word text, at timestamptz)",
        "INSERT INTO few VALUES (1, true, 0.1, '', 'epoch'), (2, NULL, 'NaN', NULL, 'infinity')",
    )
    before = bulk.content("few")
    bulk.out("few", "one", "--files", "parquet")
    path = bulk.folder / "one" / "part-00000.parquet"
    found = parquet.read_table(path)
    bulk.sql("TRUNCATE few")
    bulk.out("few", "none", "--files", "parquet")
    bulk.back("none")
    bulk.back(str(path), "--into", "few")
    twice = bulk.run(
        "bulk_export", "few", "--output", bulk.folder / "x", "--files", "parquet", "--compress", "gzip"
    )
    path.write_bytes(path.read_bytes()[:-9])
    broken = bulk.run("bulk_import", path, "--into", "few")

    assert [str(kind) for kind in found.schema.types] == ["int32", "bool", "double", "string", "string"]
    assert found["word"].to_pylist() == ["", None]
    assert bulk.content("few") == before
    assert twice.returncode == 2
    assert "ACC-620" in broken.stderr


EXPORT_KILLED = """
import os, signal, sys
import django; django.setup()
from accord.bulk import parts
real, counted = os.fsync, [0]
def fsync(number):
    counted[0] += 1
    if counted[0] == {at}:
        os.kill(os.getpid(), signal.SIGKILL)
    real(number)
os.fsync = fsync
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


@pytest.mark.parametrize("at", [pytest.param(at, marks=SELDOM) for at in (3, 8, 11)])
def test_killed_export_is_gone_on_with_or_begun_again(bulk: Bulk, at: int) -> None:
    """What is half there is never taken for whole; whoever goes on is told that it shows two moments."""
    bulk.fill_airports(1000)
    call = ("bulk_export", "airports", "--part-rows", "300", "--output", str(bulk.folder / "one"))
    killed = bulk.project.run("-c", EXPORT_KILLED.format(at=at), *call, program=())
    unsaid = bulk.run(*call)
    unfinished = bulk.run("bulk_import", bulk.folder / "one")
    resumed = bulk.run(*call, "--resume")
    manifest = bulk.manifest("one")
    bulk.sql("CREATE TABLE before AS SELECT * FROM airports", "TRUNCATE airports")
    bulk.back("one")

    assert killed.returncode == -9
    assert unsaid.returncode == 2
    assert "--anew" in unsaid.stderr
    assert "ACC-620" in unfinished.stderr
    assert resumed.returncode == 0, resumed.stderr
    assert manifest["rows"] == 1000
    assert {one.name for one in (bulk.folder / "one").iterdir()} == {
        "manifest.json",
        *(part["file"] for part in manifest["parts"]),
    }
    assert bulk.content("airports") == bulk.content("before")


FULL = """
import resource, sys
import django; django.setup()
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", *sys.argv[1:]])
"""


def test_full_disk_leaves_no_half_file(bulk: Bulk) -> None:
    """The file that didn't fit is gone, and nothing says that there is an export."""
    bulk.fill_airports(1000)
    call = ("bulk_export", "airports", "--output", str(bulk.folder / "one"))
    full = bulk.project.run("-c", FULL, *call, program=())

    assert full.returncode == 2
    assert "ACC-620" in full.stderr
    assert {one.name for one in (bulk.folder / "one").iterdir()} == {"under-way.json"}


def test_personal_columns_take_a_permission_and_leave_an_event(bulk: Bulk) -> None:
    """Without it they aren't in the files; with it they are, and the trail says who took them."""
    [(before,)] = bulk.sql("SELECT max(seq) FROM accord_auditevent")
    masked = bulk.out("streaming.Subscription", "masked")
    asked = ("bulk_export", "streaming.Listener", "--output", bulk.folder / "people", "--personal")
    refused = bulk.run(*asked, "--as", "approver", ACCORD_PASSWORD="only-for-one-test")
    bulk.sql(
        "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT u.id, p.id FROM auth_user u, "
        "auth_permission p WHERE u.username = 'approver' AND p.codename = 'export_personal'"
    )
    given = bulk.run(*asked, "--as", "approver", ACCORD_PASSWORD="only-for-one-test")
    nothing = bulk.run(
        "bulk_export", "streaming.Listener", "--columns", "email", "--output", bulk.folder / "n"
    )

    assert "listener_id" in masked["masked"]
    assert "price" in masked["masked"]
    assert b"listener_id" not in (bulk.folder / "masked" / "part-00000.csv").read_bytes()
    assert refused.returncode == 4
    assert given.returncode == 0, given.stderr
    assert b"@" in (bulk.folder / "people" / "part-00000.csv").read_bytes()
    assert nothing.returncode == 2
    # Tests of one worker share the trail.
    events = bulk.sql(
        "SELECT event, actor_kind, counters->'total' FROM accord_auditevent "
        f"WHERE seq > {before} AND (event LIKE 'bulk.%' OR event = 'access.denied') ORDER BY seq"
    )
    assert events == [
        ("bulk.export_started", "person", None),
        ("bulk.export_finished", "person", masked["rows"]),
        ("access.denied", "person", None),
        ("bulk.export_started", "person", None),
        ("bulk.export_finished", "person", bulk.manifest("people")["rows"]),
    ]


def test_what_is_personal_is_so_under_every_name(bulk: Bulk) -> None:
    """In another spelling of the table, in its copy beside it, and in a partition that was detached."""
    mark = 'accord detached from "public"."streaming_subscription"'
    kept = "streaming_subscription_accord_old"
    bulk.sql(
        "CREATE TABLE few AS SELECT * FROM streaming_subscription",
        f"COMMENT ON TABLE few IS '{mark}'",
        f"CREATE TABLE {kept} AS SELECT * FROM streaming_subscription",
    )
    try:
        found = [bulk.out(name, name)["masked"] for name in ("few", kept)]
    finally:
        bulk.sql(f"DROP TABLE {kept}")
    spelled = bulk.run("bulk_export", 'public"."streaming_subscription', "--output", bulk.folder / "s")

    assert found[0] == found[1]
    assert {"listener_id", "price"} <= set(found[0])
    assert "ACC-103" in spelled.stderr


def test_who_was_erased_does_not_come_back(bulk: Bulk) -> None:
    """Their rows are left out, and counted; those of others come in."""
    bulk.sql(
        "INSERT INTO auth_user_user_permissions (user_id, permission_id) SELECT u.id, p.id FROM auth_user u, "
        "auth_permission p WHERE u.username = 'filer' AND p.codename = 'export_personal'"
    )
    done = bulk.run(
        "bulk_export", "streaming.Consent", "--output", bulk.folder / "consents", "--personal",
        "--as", "filer", ACCORD_PASSWORD="only-for-one-test",
    )  # fmt: skip
    theirs = bulk.sql("SELECT count(*) FROM streaming_consent WHERE listener_id = 3")[0][0]
    others = bulk.sql("SELECT count(*) FROM streaming_consent WHERE listener_id <> 3")[0][0]
    fence = (
        "import django; django.setup()\nfrom accord.erased import tombstones as t\n"
        "t.raise_fence(t.subject_tag('streaming.listener', 3))"
    )
    bulk.project.run("-c", fence, program=())
    bulk.sql("DELETE FROM streaming_consent")
    answer = bulk.back("consents")

    assert done.returncode == 0, done.stderr
    assert theirs
    assert answer["erased"] == theirs
    assert answer["rows"] == others
    assert bulk.sql("SELECT count(*) FROM streaming_consent WHERE listener_id = 3") == [(0,)]


@SELDOM
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("accord_auditevent",), "suite's own"),
        (("nosuch",), "ACC-103"),
        (("streaming.Track", "--columns", "nosuch"), "no column"),
        (("streaming.Track", "--query", "nosuch = 1"), "WHERE"),
        (("streaming.Track", "--store", "nosuch"), "ACC-101"),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, tuple) else "",
)
def test_call_that_fits_nothing_is_refused(bulk: Bulk, arguments: tuple[str, ...], says: str) -> None:
    """Each says what is wrong, and nothing is exported."""
    done = bulk.run("bulk_export", *arguments, "--output", bulk.folder / "one")

    assert done.returncode == 2, done.stderr
    assert says in done.stderr
    assert not Path(bulk.folder / "one" / "manifest.json").exists()
