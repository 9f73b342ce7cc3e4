"""Operations that would lock a live table are sent in parts; what stands in the end is what Django leaves."""

from __future__ import annotations

import re

import pytest

from accord.errors import StepFailed
from accord.seam.foretelling import Outlook
from accord.seam.rewriting import Extent
from tests.chance import chance, moments
from tests.conformance.harness_relational import RelationalHarness
from tests.integration.postgres.rewriting import SECOND, Live

pytestmark = pytest.mark.integration

INDEX = 'migrations.AddIndex("play", models.Index(fields=["code"], condition=Q(at__gt=3), name="by_code"))'
CHECK = """migrations.AddConstraint(
    "play", models.CheckConstraint(condition=Q(whose__gt=0), name="has_owner")
)"""
CODE = """migrations.RunPython(
    lambda apps, editor: apps.get_model("APP", "play").objects.using(editor.connection.alias)
        .filter(at=7).update(whose=F("whose") + 1),
    lambda apps, editor: apps.get_model("APP", "play").objects.using(editor.connection.alias)
        .filter(at=7).update(whose=F("whose") - 1),
)"""
UNIQUE = """migrations.AddConstraint(
    "play", models.UniqueConstraint(name="code_once", fields=['code', 'maybe'])
)"""
OPERATIONS = {
    "index": INDEX,
    "index of an expression": 'migrations.AddIndex("play", models.Index(Lower("code"), name="by_lower"))',
    "index that goes": 'migrations.RemoveIndex("play", "plays_at")',
    "check": CHECK,
    "check that goes": 'migrations.RemoveConstraint("play", "plays_at_positive")',
    "unique": f"{UNIQUE}",
    "unique, deferred": UNIQUE.replace(")", ", deferrable=models.Deferrable.DEFERRED)", 1),
    "unique, one NULL": UNIQUE.replace(")", ", nulls_distinct=False)", 1),
    "unique, some rows": UNIQUE.replace(")", ", condition=Q(at__gt=3), include=['whose'])", 1),
    "unique, of an expression": """migrations.AddConstraint(
        "play", models.UniqueConstraint(Lower("code"), name="code_once")
    )""",
    "unique that goes": 'migrations.RemoveConstraint("play", "plays_once")',
    "column with an index": """migrations.AddField("play", "rank",
        models.IntegerField(null=True, db_index=True))""",
    "column with two indexes": """migrations.AddField("play", "tag",
        models.CharField(max_length=9, default="", db_index=True))""",
    "column that is unique": """migrations.AddField("play", "tag",
        models.CharField(max_length=9, null=True, unique=True))""",
    "column with a check": 'migrations.AddField("play", "rank", models.PositiveIntegerField(default=3))',
    "key": """migrations.AddField("play", "other",
        models.ForeignKey("APP.label", models.CASCADE, null=True, related_name="+"))""",
    "key with a default": """migrations.AddField("play", "other",
        models.ForeignKey("APP.label", models.CASCADE, default=1, related_name="+"))""",
    "key with a default for once": """migrations.AddField("play", "other", models.ForeignKey(
        "APP.label", models.CASCADE, default=1, related_name="+"), preserve_default=False)""",
    "no NULL, but a default for once": """migrations.AlterField(
        "play", "none", models.IntegerField(default=5), preserve_default=False)""",
    "key of one to one": """migrations.AddField("play", "other",
        models.OneToOneField("APP.label", models.CASCADE, null=True, related_name="+"))""",
    "column of another value in each row": """migrations.AddField("play", "luck",
        models.FloatField(db_default=Random()))""",
    "column of another value in each row, or NULL": """migrations.AddField("play", "luck",
        models.FloatField(db_default=Random(), null=True))""",
    "unique column of another value in each row": """migrations.AddField("play", "ticket",
        models.UUIDField(db_default=RandomUUID(), unique=True))""",
    "column of another value in each row that goes": """migrations.AddField("play", "luck",
        models.FloatField(db_default=Random(), db_index=True)), migrations.RemoveField("play", "luck")""",
    "primary key": """migrations.RemoveField("play", "id"), migrations.AlterField("play", "code",
        models.CharField(max_length=20, primary_key=True, serialize=False))""",
    "primary key of another value in each row": """migrations.RemoveField("play", "id"),
        migrations.AddField("play", "ticket",
            models.UUIDField(db_default=RandomUUID(), primary_key=True, serialize=False))""",
    "primary key that was unique": """migrations.AlterField("play", "code",
            models.CharField(max_length=20, unique=True)),
        migrations.RemoveField("play", "id"), migrations.AlterField("play", "code",
            models.CharField(max_length=20, primary_key=True, serialize=False))""",
    "key that goes": 'migrations.RemoveField("play", "twin")',
    "no NULL": 'migrations.AlterField("play", "maybe", models.IntegerField())',
    "no NULL, but a default": 'migrations.AlterField("play", "none", models.IntegerField(default=5))',
    "NULL": 'migrations.AlterField("play", "at", models.IntegerField(null=True))',
    "NULL of a key": """migrations.AlterField("play", "label",
        models.ForeignKey("APP.label", models.CASCADE, null=True, related_name="+"))""",
    "field that becomes unique": """migrations.AlterField("play", "code",
        models.CharField(max_length=20, unique=True))""",
    "unique and no NULL": 'migrations.AlterField("play", "maybe", models.IntegerField(unique=True))',
    "field with an index": """migrations.AlterField("play", "code",
        models.CharField(max_length=20, db_index=True))""",
    "unique together": 'migrations.AlterUniqueTogether("play", {("at", "maybe"), ("code", "id")})',
    "no NULL, and another column": f"""{INDEX}, migrations.AlterField("play", "maybe",
        models.IntegerField(db_column="perhaps"))""",
    "several, with code": f"{INDEX}, {CODE}, {CHECK}",
    "of a table with a new name": f'migrations.RenameModel("play", "game"), {CHECK.replace("play", "game")}',
}
BECOMES = """migrations.AlterField("play", "id", models.BigIntegerField()),
    migrations.AlterField("play", "maybe", models.IntegerField(primary_key=True, serialize=False))"""
OF_ROWS = "SELECT sum(whose), count(*) FROM {app}_play"
LOCKING = ("CREATE INDEX", "DROP INDEX", "ADD CONSTRAINT")


@pytest.fixture
def live(relational_harness: RelationalHarness) -> Live:
    """Give a table with rows, and nothing to do yet."""
    found = Live(relational_harness)
    found.do("apply", "0001_first")
    found.fill()
    return found


def wanted_of(live: Live) -> object:
    """Have Django do it and undo it, and return what stood between."""
    live.by_django("0002")
    wanted = live.catalog()
    live.by_django("0001")
    return wanted


def moments_of(live: Live, action: str) -> list[int]:
    """Do it once, and draw before which of its statements it dies next time."""
    with live.listening():
        live.do(action)
    return sorted(chance(action).sample(range(len(live.sent)), moments(len(live.sent))))


@pytest.mark.matrix
@pytest.mark.by_turns(4)
@pytest.mark.parametrize("operations", OPERATIONS.values(), ids=OPERATIONS)
def test_killed_before_any_statement_it_ends_as_with_django(live: Live, operations: str) -> None:
    """Killed anywhere, forward, back or given up, and run again: Django's own catalog; code ran once."""
    live.write(operations)
    wanted, before = wanted_of(live), live.catalog()
    ways = moments_of(live, "apply"), moments_of(live, "revert")

    for forward, back in zip(*ways, strict=False):
        assert live.die_at(forward, "apply")
        live.do("revert")
        assert live.catalog() == before, f"killed before statement {forward}, and given up"
        assert live.die_at(forward, "apply")
        live.do("apply")
        assert live.catalog() == wanted, f"killed before statement {forward} on the way forward"
        assert live.die_at(back, "revert")
        live.do("revert")
        assert live.catalog() == before, f"killed before statement {back} on the way back"
        assert "0002_second" not in live.harness.recorded()

    assert live.harness._query(OF_ROWS.format(app=live.harness.app)) == [(500, 500)]


@pytest.mark.by_turns(3)
@pytest.mark.parametrize("operations", OPERATIONS.values(), ids=OPERATIONS)
def test_nothing_is_sent_that_reads_the_table_under_a_lock(live: Live, operations: str) -> None:
    """Forward and back: indexes concurrently, constraints without a look at the rows that stand."""
    live.write(operations)

    for action in ("apply", "revert"):
        with live.listening():
            live.do(action)
        locking = [sql for sql in live.sent if any(word in sql for word in LOCKING) and "_probe" not in sql]
        harmless = ("CONCURRENTLY", "NOT VALID", "DROP CONSTRAINT", "USING INDEX")
        assert [sql for sql in locking if not any(word in sql for word in harmless)] == []
    assert any("nobody waits long" in note for note in live.notes)


@pytest.mark.parametrize("extent", [Extent.LARGE, Extent.OFF])
def test_small_table_and_policy_keep_the_one_transaction(live: Live, extent: Extent) -> None:
    """What locks nobody out for long, or is wanted so, goes as Django sends it: all of it or nothing."""
    live.write(f"{INDEX}, {CHECK}")

    with live.listening():
        live.do("apply", extent=extent)

    assert not any("CONCURRENTLY" in sql or "NOT VALID" in sql for sql in live.sent)
    assert live.catalog() == wanted_of_applied(live)


def wanted_of_applied(live: Live) -> object:
    live.do("revert", extent=Extent.OFF)
    live.by_django("0002")
    return live.catalog()


def test_table_of_many_rows_is_large(live: Live) -> None:
    """The files count, and not the statistics: nobody has analysed the table yet."""
    live.harness.execute(
        f"INSERT INTO {live.harness.app}_label (name) "
        "SELECT (SELECT string_agg(md5((n * m)::text), '') FROM generate_series(1, 30) m) "
        "FROM generate_series(1, 10000) n"
    )
    live.write('migrations.AddIndex("label", models.Index("id", name="by_id")), ' + CHECK)

    with live.listening():
        live.do("apply", extent=Extent.LARGE)

    assert any("CREATE INDEX CONCURRENTLY" in sql for sql in live.sent)
    assert any("NOT VALID" in sql for sql in live.sent)


def test_step_that_a_person_names_goes_as_it_stands(live: Live) -> None:
    """With the reason in its notes, which the journal keeps."""
    live.write(INDEX)

    with live.listening():
        live.do("apply", plainly="nobody is awake")

    assert not any("CONCURRENTLY" in sql for sql in live.sent)
    assert live.notes == ["sent as its migration says, whatever it locks: nobody is awake"]


def test_what_was_begun_goes_on_in_the_way_it_was_begun(live: Live) -> None:
    """Whatever the policy says by then: the ledger knows how its parts are counted."""
    live.write(f"{INDEX}, {CHECK}")
    wanted = wanted_of(live)
    with live.listening():
        live.do("apply")
    validates = next(n for n, sql in enumerate(live.sent) if "VALIDATE" in sql)
    live.do("revert")

    assert live.die_at(validates, "apply")
    assert live.ledger() == ("applying", 2)
    with live.listening():
        live.do("apply", extent=Extent.OFF)

    assert live.catalog() == wanted
    assert not any("CONCURRENTLY" in sql for sql in live.sent)
    assert any("VALIDATE" in sql for sql in live.sent)


@pytest.mark.parametrize("before", ["", f"{INDEX}, "], ids=["first", "second"])
def test_refused_by_the_rows_nothing_of_the_operation_is_left(live: Live, before: str) -> None:
    """The constraint that held for new rows goes again; what came before it stands, and counts as done."""
    live.write(before + CHECK)
    live.harness.execute(f"UPDATE {live.harness.app}_play SET whose = 0 WHERE id = 9")

    with pytest.raises(StepFailed, match="has_owner"):
        live.do("apply")

    assert live.ledger() == (("applying", 1) if before else None)
    assert not any("has_owner" in row for row in live.catalog())
    live.harness.execute(f"UPDATE {live.harness.app}_play SET whose = 1 WHERE id = 9")
    live.do("apply")
    assert any("has_owner" in row for row in live.catalog())


@pytest.mark.parametrize(
    ("operation", "spoils", "told"),
    [
        (
            UNIQUE,
            "UPDATE {app}_play SET code = 'c1', maybe = 1 WHERE id = 9",
            "1 of (code, maybe) are there more",
        ),
        (
            'migrations.AlterField("play", "maybe", models.IntegerField())',
            "UPDATE {app}_play SET maybe = NULL WHERE id IN (1, 9)",
            "2 hold NULL",
        ),
        (
            'migrations.AlterField("play", "maybe", models.IntegerField(unique=True))',
            "UPDATE {app}_play SET maybe = 1 WHERE id = 9",
            "1 of (maybe) are there more than once",
        ),
        (CHECK, "UPDATE {app}_play SET whose = 0 WHERE id IN (1, 9)", "2 break the check"),
        (
            """migrations.AddField("play", "other", models.ForeignKey(
                "APP.label", models.CASCADE, default=99, related_name="+"))""",
            "SELECT 1",
            "",
        ),
    ],
    ids=["duplicates", "NULL", "no NULL, but duplicates", "check", "nobody there"],
)
@pytest.mark.parametrize("extent", [Extent.EVERY, Extent.OFF])
def test_whatever_the_rows_refuse_leaves_what_stood_before(
    live: Live, operation: str, spoils: str, told: str, extent: Extent
) -> None:
    """No index that isn't valid, no check for a while; the step is pending, and the rows are named by key."""
    live.write(operation)
    live.harness.execute(spoils.format(app=live.harness.app))
    before = live.catalog()

    with pytest.raises(StepFailed) as caught:
        live.do("apply", extent=extent)

    assert live.catalog() == before
    assert live.ledger() is None
    assert told in caught.value.message
    assert set(re.findall(r"\bid \d+", caught.value.message)) == ({"id 1", "id 9"} if told else set())


NOT_NULL = 'migrations.AlterField("play", "maybe", models.IntegerField())'


@pytest.mark.parametrize(
    ("operation", "spoils", "looks", "told"),
    [
        (NOT_NULL, "SELECT 1", 1, []),
        (
            NOT_NULL,
            "UPDATE {app}_play SET maybe = NULL WHERE id IN (1, 9)",
            2,
            [("{app}_play.maybe", "2 hold NULL.")],
        ),
        (CHECK, "SELECT 1", 1, []),
        (UNIQUE, "SELECT 1", 1, []),
        (
            UNIQUE,
            "UPDATE {app}_play SET code = 'c1', maybe = 1 WHERE id = 9",
            3,
            [("code_once", "1 of (code, maybe) are there more than once.")],
        ),
    ],
)
def test_what_the_parts_ask_of_the_rows_is_asked_once(
    live: Live, operation: str, spoils: str, looks: int, told: list[tuple[str, str]]
) -> None:
    """A check that keeps NULL out answers for the column; rows and keys are counted where there are any."""
    app = live.harness.app
    live.write(operation)
    live.harness.execute(spoils.format(app=app))

    with live.listening():
        found = live.foretold(extent=Extent.EVERY)

    reads = [sql for sql in live.sent if f'FROM "{app}_play"' in sql]
    assert len(reads) == looks, reads
    refused = [(item.what, item.text) for item in found if item.outlook is Outlook.REFUSED]
    assert refused == [(what.format(app=app), text) for what, text in told]


def test_rows_that_held_null_get_the_default(live: Live) -> None:
    """Page by page, those that others write meanwhile kept from it."""
    live.write('migrations.AlterField("play", "none", models.IntegerField(default=5))')

    with live.listening():
        live.do("apply")

    assert live.harness._query(f"SELECT DISTINCT none FROM {live.harness.app}_play") == [(5,)]
    filling = [sql for sql in live.sent if sql.startswith("UPDATE") and "none" in sql]
    assert all("ctid >=" in sql for sql in filling)


@pytest.mark.parametrize(
    ("operation", "refused"),
    [
        ('migrations.AlterField("play", "at", models.BigIntegerField())', "new type"),
        ('migrations.AlterField("play", "code", models.CharField(max_length=30))', ""),
        ('migrations.AlterField("play", "code", models.TextField())', ""),
        ("migrations.RunSQL('ALTER TABLE APP_play ADD luck float DEFAULT random()')", "in batches"),
        ('migrations.AddField("play", "rank", models.IntegerField(default=3))', ""),
        (
            """migrations.AddField("play", "double", models.GeneratedField(
                expression=F("at") * 2, output_field=models.IntegerField(), db_persist=True))""",
            "plain column",
        ),
        (
            """migrations.AddConstraint("play", ExclusionConstraint(
                name="one_at", expressions=[(RawSQL("int4range(at, at + 1)", ()), "&&")]))""",
            "new table",
        ),
        (INDEX, ""),
    ],
)
def test_what_would_keep_everybody_out_is_refused_with_the_way_around(
    live: Live, monkeypatch: pytest.MonkeyPatch, operation: str, refused: str
) -> None:
    """Of a table of 100 MB; its neighbours go. A person may have it sent as it stands, as may the policy."""
    live.write(operation)
    found = live.foretold()
    assert not [item for item in found if item.outlook is Outlook.REFUSED]
    monkeypatch.setattr("migrator.foretelling.foreteller.LARGE", 1)

    hints = [item.hint for item in live.foretold() if item.outlook is Outlook.REFUSED]

    assert [refused in hint and "--unsafe-ddl" in hint for hint in hints] == ([True] if refused else [])
    for waived in (live.foretold(extent=Extent.OFF), live.foretold(plainly="it is night")):
        assert not [item for item in waived if item.outlook is Outlook.REFUSED]


@pytest.mark.parametrize("extent", [Extent.EVERY, Extent.OFF])
def test_value_of_its_own_for_each_row_is_no_reason_to_refuse_what_goes_in_parts(
    live: Live, monkeypatch: pytest.MonkeyPatch, extent: Extent
) -> None:
    """Nor is a primary key; the values are those of the default, one for each row, also of rows to come."""
    app = live.harness.app
    live.write(
        f"""migrations.AddField("play", "ticket",
            models.UUIDField(db_default=RandomUUID(), null=True)), {BECOMES}"""
    )
    monkeypatch.setattr("migrator.foretelling.foreteller.LARGE", 1)
    assert not [item for item in live.foretold(extent=extent) if item.outlook is Outlook.REFUSED]
    live.do("apply", extent=extent)
    live.harness.execute(
        f"INSERT INTO {app}_play (id, at, code, maybe, whose, label_id) "
        f"SELECT 0, 0, 'later', 0, 1, label_id FROM {app}_play LIMIT 1"
    )

    assert live.harness._query(f"SELECT count(DISTINCT ticket), count(*) FROM {app}_play") == [(501, 501)]
    assert [name for what, _, name, _ in live.catalog() if name.endswith("_pk")] != []


@pytest.mark.parametrize("extent", [Extent.EVERY, Extent.OFF])
@pytest.mark.parametrize(("spoils", "told"), [("NULL", {"id 9"}), ("1", {"id 1", "id 9"})])
def test_rows_that_fit_no_primary_key_are_named_before(
    live: Live, spoils: str, told: set[str], extent: Extent
) -> None:
    """NULL, or the same twice: by the key that they have until then."""
    live.write(BECOMES)
    live.harness.execute(f"UPDATE {live.harness.app}_play SET maybe = {spoils} WHERE id = 9")

    refused = [item for item in live.foretold(extent=extent) if item.outlook is Outlook.REFUSED]

    assert refused != []
    assert all(set(item.keys) == told for item in refused)


def test_column_that_held_null_is_the_key_and_is_so_no_more(live: Live) -> None:
    """Where Django itself can't go back: it drops NOT NULL before the key that needs it."""
    live.write(BECOMES)

    live.do("apply")
    in_parts = live.catalog()
    live.do("revert")
    live.harness.execute(f"UPDATE {live.harness.app}_play SET maybe = NULL WHERE id = 9")
    live.harness.execute(f"UPDATE {live.harness.app}_play SET maybe = 9 WHERE id = 9")
    live.by_django("0002")

    assert live.catalog() == in_parts


THIRD = SECOND.replace("0001_first", "0002_second").replace("ATOMIC", "True")
STATE = "migrations.SeparateDatabaseAndState(state_operations=[{}])"
REMOVE_TWIN = 'migrations.RemoveField("play", "twin")'
ADD_TWIN = """migrations.AddField("play", "twin",
    models.ForeignKey("APP.label", models.CASCADE, null=True, related_name="+"))"""


def test_field_that_goes_out_of_the_state_first_and_out_of_the_table_later(live: Live) -> None:
    """In between, the code of before and after both write; in the end it is as if it had gone at once."""
    live.write(REMOVE_TWIN)
    before, wanted = live.catalog(), wanted_of(live)
    live.write(STATE.format(REMOVE_TWIN))
    later = f"{STATE.format(ADD_TWIN)}, {REMOVE_TWIN}"
    live.harness.write_revision("0003_third", THIRD.replace("OPERATIONS", later))

    live.do("apply")
    assert live.catalog() == before
    live.harness.execute(
        f"INSERT INTO {live.harness.app}_play (at, code, whose, label_id) SELECT 999, 'c', 1, label_id "
        f"FROM {live.harness.app}_play LIMIT 1"
    )
    live.do("apply", "0003_third")
    assert live.catalog() == wanted
    for step in ("0003_third", "0002_second"):
        live.do("revert", step)
    assert live.catalog() == before


def test_field_without_a_column_goes_as_it_stands(live: Live) -> None:
    """A table between, and what a package makes of a field: beside what is sent in parts."""
    many = 'models.ManyToManyField("APP.label", related_name="+")'
    live.write(
        f'migrations.AddField("play", "labels", {many}), {INDEX}, '
        f'migrations.AlterField("play", "labels", {many.replace("Field(", "Field(blank=True, to=")})'
    )
    wanted = wanted_of(live)

    live.do("apply")

    assert live.catalog() == wanted


@pytest.mark.parametrize(
    "operations",
    [
        """migrations.AlterField("play", "maybe", models.IntegerField(null=True, unique=True)),
        migrations.RemoveField("play", "maybe")""",
        """migrations.RenameModel("play", "game"), migrations.RenameField("game", "twin", "double"),
        migrations.AlterField("game", "double", models.ForeignKey(
            "APP.label", models.CASCADE, null=True, db_index=False, related_name="+")),
        migrations.AddField("game", "tag", models.CharField(max_length=9, null=True, unique=True))""",
    ],
    ids=["unique by another name", "index of an old name"],
)
def test_what_goes_is_found_under_the_name_that_it_has(live: Live, operations: str) -> None:
    """A name of another time or another way isn't the one that would be given today."""
    live.write(operations)
    wanted = wanted_of(live)
    # A column that comes again stands last.
    live.do("apply", extent=Extent.OFF)
    live.do("revert", extent=Extent.OFF)
    before = live.catalog()

    live.do("apply")
    assert live.catalog() == wanted
    live.do("revert")
    assert live.catalog() == before


def test_table_that_the_migration_makes_keeps_the_one_transaction(live: Live) -> None:
    """Nobody can wait for what nobody sees."""
    live.write(
        """migrations.CreateModel("Song", fields=[("id", models.BigAutoField(primary_key=True))]),
        migrations.AddIndex("song", models.Index(fields=["-id"], name="songs_back"))"""
    )

    with live.listening():
        live.do("apply")

    assert not any("CONCURRENTLY" in sql for sql in live.sent)


def test_partitioned_table_goes_as_it_stands(live: Live) -> None:
    """PostgreSQL builds no index on one beside writers."""
    app = live.harness.app
    live.harness.execute(
        f"ALTER TABLE {app}_play RENAME TO part; "
        f"CREATE TABLE {app}_play (LIKE part INCLUDING DEFAULTS) PARTITION BY RANGE (id); "
        f"CREATE TABLE {app}_all PARTITION OF {app}_play DEFAULT"
    )
    live.write(INDEX)

    live.do("apply")

    assert any("by_code" in row for row in live.catalog())
