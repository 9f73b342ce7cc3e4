"""Functions and views from files: made, changed, undone and looked at through the commands, on PostgreSQL."""

from __future__ import annotations

import json
import textwrap
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from tests.chance import ROOT, chance, moments
from tests.fix_postgres import execute
from tests.fix_workshop import Workshop
from tests.forks import run_python

pytestmark = pytest.mark.acceptance
WORDS = """
    -- object: function words(integer)
    -- after: workshop.0001_thing
    CREATE OR REPLACE FUNCTION words(number integer) RETURNS text LANGUAGE sql IMMUTABLE
    AS $$ SELECT 'number ' || number $$;
    """
NAMED = """
    -- object: view named
    -- depends: words
    CREATE OR REPLACE VIEW named AS SELECT id, words(id::integer) AS word FROM workshop_thing;
    """
COUNTED = """
    -- object: view counted
    -- depends: named
    CREATE VIEW counted AS SELECT count(word) AS things FROM named;
    """


def file(workshop: Workshop, name: str, text: str) -> Path:
    """Write the file of an object."""
    return workshop.write(f"database_objects/{name}.sql", textwrap.dedent(text).strip() + "\n")


def migrate(workshop: Workshop, *more: str) -> Any:
    """Run what is pending, and give what the command said."""
    done = workshop.run("migrate_all", "--noinput", "--store", "objects", *more)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def refused(workshop: Workshop, *more: str) -> str:
    """Run what can't go well, and give the words."""
    done = workshop.run("migrate_all", "--noinput", "--store", "objects", *more)
    assert done.returncode, done.stdout
    return str(done.stdout + done.stderr)


def recorded(workshop: Workshop) -> list[str]:
    """Name the files of the texts that were made, in their order."""
    return [row[0] for row in workshop.rows("SELECT file FROM accord_object ORDER BY recorded_at, file")]


def step_of(workshop: Workshop, name: str) -> str:
    """Name the newest step of a file."""
    ((found,),) = workshop.rows(
        f"SELECT 'objects:' || app || '.' || name FROM accord_object WHERE file = '{name}' "
        "ORDER BY number DESC LIMIT 1"
    )
    return str(found)


@pytest.fixture
def shop(workshop: Workshop) -> Workshop:
    """Give a project with a table, a function, a view of both, and a view of that."""
    workshop.django("0001_thing", "Thing")
    for name, text in {"words": WORDS, "named": NAMED, "counted": COUNTED}.items():
        file(workshop, name, text)
    made = Workshop(folder=workshop.folder, variables={**workshop.variables, "WORKSHOP_OBJECTS": "1"})
    done = made.run("migrate_all", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    execute(made.variables["DATABASE_URL"], "INSERT INTO workshop_thing VALUES (7)")
    return made


def test_files_are_made_in_the_order_of_what_they_need_and_once(shop: Workshop) -> None:
    """The function before the view of it, after the migration; a second run has nothing to do."""
    assert recorded(shop) == ["words", "named", "counted"]
    assert shop.rows("SELECT word FROM named") == [("number 7",)]
    assert "Nothing to do" in migrate(shop).stdout


@pytest.mark.by_turns(4)
def test_changed_file_is_pending_shown_as_a_difference_and_undone_to_the_text_before(shop: Workshop) -> None:
    """The plan shows the lines; what stands on it is made again with it; the way back is the text before."""
    file(shop, "words", WORDS.replace("'number '", "'no. '"))
    shown = shop.run("migrate_all", "--dry-run", "--store", "objects").stdout
    assert "-- -AS $$ SELECT 'number ' || number $$;" in shown
    assert "-- +AS $$ SELECT 'no. ' || number $$;" in shown
    assert "Goes and comes with it, if the server doesn't replace it in place: view named" in shown

    migrate(shop)
    assert shop.rows("SELECT word FROM named") == [("no. 7",)]

    migrate(shop, "--revert", "--to", shop.rows(
        "SELECT 'objects:' || app || '.' || name FROM accord_object WHERE file = 'words' AND number = 1"
    )[0][0])  # fmt: skip
    assert shop.rows("SELECT word FROM named") == [("number 7",)]
    assert sorted(recorded(shop)) == ["counted", "named", "words"]


@pytest.mark.by_turns(4)
def test_view_of_other_columns_is_made_anew_with_the_views_on_it_and_keeps_grants(shop: Workshop) -> None:
    """PostgreSQL refuses to replace it, so both go and come in one transaction, and so back."""
    url = shop.variables["DATABASE_URL"]
    execute(url, "GRANT SELECT ON named, counted TO PUBLIC", "COMMENT ON VIEW counted IS 'how many'")
    file(
        shop,
        "named",
        NAMED.replace("SELECT id, words(id::integer) AS word", "SELECT words(id::integer) AS word"),
    )
    migrate(shop)

    assert shop.rows("SELECT * FROM named") == [("number 7",)]
    assert shop.rows("SELECT things FROM counted") == [(1,)]
    readable = "SELECT has_table_privilege('public', '{}', 'SELECT')"
    assert [shop.rows(readable.format(view)) for view in ("named", "counted")] == [[(True,)], [(True,)]]
    assert shop.rows("SELECT obj_description('counted'::regclass)") == [("how many",)]

    migrate(shop, "--revert", "--step", step_of(shop, "named"))
    assert shop.rows("SELECT * FROM named") == [(7, "number 7")]
    assert shop.rows("SELECT things FROM counted") == [(1,)]
    assert sorted(recorded(shop)) == ["counted", "named", "words"]


def test_column_that_both_views_rename_changes_in_both_at_once_and_back(shop: Workshop) -> None:
    """The lower view brings the upper one's new text; on the way back that waits for the lower one."""
    file(shop, "named", NAMED.replace("AS word", "AS label"))
    file(shop, "counted", COUNTED.replace("word", "label"))
    migrate(shop)
    assert shop.rows("SELECT label FROM named") == [("number 7",)]
    assert shop.rows("SELECT things FROM counted") == [(1,)]

    back = migrate(shop, "--revert", "--step", step_of(shop, "named"))
    assert "comes back with what it depends on" in back.stdout + back.stderr
    assert shop.rows("SELECT word FROM named") == [("number 7",)]
    assert shop.rows("SELECT things FROM counted") == [(1,)]
    assert shop.run("migrate_all", "--check-live", "--store", "objects").returncode == 0


@pytest.mark.by_turns(4)
def test_migration_below_is_undone_with_every_text_that_stands_on_it(shop: Workshop) -> None:
    """Two texts of the function, and the views: all go before the table does."""
    file(shop, "words", WORDS.replace("'number '", "'no. '"))
    migrate(shop)
    done = shop.run("migrate_all", "--revert", "workshop", "zero", "--noinput", "--even-with-data")
    assert done.returncode == 0, done.stdout + done.stderr
    assert recorded(shop) == []
    assert shop.rows("SELECT to_regclass('named'), to_regprocedure('words(integer)')") == [(None, None)]


@pytest.mark.by_turns(4)
def test_change_by_hand_is_named_and_not_written_over(shop: Workshop) -> None:
    """Neither a later text nor an undo takes it away silently; carried into the file, it is ours again."""
    by_hand = (
        "CREATE OR REPLACE VIEW named AS SELECT id, upper(words(id::integer)) AS word FROM workshop_thing"
    )
    execute(shop.variables["DATABASE_URL"], by_hand)
    found = shop.run("migrate_all", "--check-live", "--store", "objects")
    assert found.returncode == 6
    assert "The view named is not as named@" in found.stdout

    file(shop, "named", NAMED.replace("words(", "lower(words(").replace(") AS", ")) AS"))
    assert "was changed by hand: the step stops" in shop.run("migrate_all", "--dry-run").stdout
    assert "was changed since workshop.named@" in refused(shop)
    assert shop.rows("SELECT word FROM named") == [("NUMBER 7",)]

    file(shop, "named", NAMED.replace("words(id::integer)", "upper(words(id::integer))"))
    migrate(shop)
    assert shop.run("migrate_all", "--check-live", "--store", "objects").returncode == 0


@pytest.mark.by_turns(4)
def test_removed_object_goes_by_a_step_of_its_own_and_comes_back(shop: Workshop) -> None:
    """The file says so; what stands on it is named before; its file may go later, and no other may."""
    gone = "-- object: view named\n-- removed: nobody reads it\n"
    file(shop, "named", gone)
    assert "counted.sql depends on named, which" in refused(shop)
    file(shop, "counted", COUNTED.replace("-- depends: named", "-- depends: words"))
    assert "view counted depends on view named" in refused(shop)

    file(shop, "counted", "-- object: view counted\n-- removed: nobody counts\n")
    assert "Nothing to do" in migrate(shop, "--phase", "expand").stdout
    migrate(shop)
    assert shop.rows("SELECT to_regclass('named')") == [(None,)]
    (shop.folder / "workshop/database_objects/counted.sql").unlink()
    assert "Nothing to do" in migrate(shop).stdout

    migrate(shop, "--revert", "--step", step_of(shop, "named"))
    assert shop.rows("SELECT word FROM named") == [("number 7",)]
    (shop.folder / "workshop/database_objects/named.sql").unlink()
    assert "its file is gone" in refused(shop)
    assert shop.rows("SELECT word FROM named") == [("number 7",)]


@pytest.mark.by_turns(4)
def test_earlier_text_is_no_way_back_behind_a_later_one(shop: Workshop) -> None:
    """An older release that runs beside a newer one stops; a line of comment makes it a text of its own."""
    file(shop, "counted", COUNTED.replace("count(word)", "count(*)"))
    migrate(shop)
    file(shop, "counted", COUNTED)
    assert f"holds {step_of(shop, 'counted')}" in refused(shop)
    assert shop.rows("SELECT pg_get_viewdef('counted'::regclass) LIKE '%count(*)%'") == [(True,)]

    file(shop, "counted", textwrap.dedent(COUNTED).strip() + "\n-- Taken back.")
    migrate(shop)
    migrate(shop, "--revert", "--step", step_of(shop, "counted"))
    assert shop.rows("SELECT pg_get_viewdef('counted'::regclass) LIKE '%count(*)%'") == [(True,)]


@pytest.mark.by_turns(4)
def test_object_that_stands_there_is_taken_as_it_is_or_not_at_all(shop: Workshop) -> None:
    """Equal to the file it is recorded as found, and an undo leaves it; another one is refused, and stays."""
    url = shop.variables["DATABASE_URL"]
    execute(url, "CREATE VIEW old AS SELECT 1 AS one", "CREATE VIEW other AS SELECT 2 AS two")
    file(shop, "old", "-- object: view old\nCREATE VIEW old AS SELECT 1 AS one;\n")
    migrate(shop)
    assert shop.rows("SELECT how FROM accord_object WHERE file = 'old'") == [("adopted",)]
    migrate(shop, "--revert", "--step", step_of(shop, "old"))
    assert shop.rows("SELECT one FROM old") == [(1,)]

    migrate(shop, "--baseline")
    assert recorded(shop)[-1] == "old"
    file(shop, "other", "-- object: view other\nCREATE OR REPLACE VIEW other AS SELECT 3 AS two;\n")
    assert "stands there, no step made it" in refused(shop)
    assert "other" not in recorded(shop)
    assert shop.rows("SELECT two FROM other") == [(2,)]


@pytest.mark.by_turns(4)
def test_renamed_file_takes_over_once_the_old_one_is_forgotten(shop: Workshop) -> None:
    """All texts of the old one are struck at once, and the object is never away."""
    file(shop, "counted", COUNTED.replace("count(word)", "count(*)"))
    migrate(shop)
    folder = shop.folder / "workshop/database_objects"
    (folder / "counted.sql").rename(folder / "number.sql")
    assert "its file is gone" in refused(shop)

    done = shop.run("migrate_all", "--forget", step_of(shop, "counted"), "--reason", "moved", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "counted" not in recorded(shop)
    migrate(shop)
    assert shop.rows("SELECT how FROM accord_object WHERE file = 'number'") == [("adopted",)]
    assert shop.rows("SELECT things FROM counted") == [(1,)]


@pytest.mark.by_turns(4)
def test_view_that_no_file_makes_is_never_dropped_for_another(shop: Workshop) -> None:
    """It is named, and all stays as it is."""
    execute(shop.variables["DATABASE_URL"], "CREATE VIEW theirs AS SELECT id FROM named")
    file(shop, "named", NAMED.replace("SELECT id, ", "SELECT "))
    assert "made by no file of database_objects: view theirs" in refused(shop)
    assert shop.rows("SELECT id FROM theirs") == [(7,)]


BAD = {
    "a syntax error": (
        "-- object: view bad\n\nCREATE VIEW bad AS\nSELEC 1;\n",
        "bad.sql, line 4: the server refused the view bad: syntax error",
    ),
    "another name": ("-- object: view bad\nCREATE VIEW good AS SELECT 1;\n", "there is no view bad"),
    "two objects": (
        "-- object: view bad\nCREATE VIEW bad AS SELECT 1 AS x; CREATE TABLE more (id int);\n",
        "makes more than the view bad: table more",
    ),
    "an object that nobody makes": (
        "-- object: view bad\nCREATE VIEW bad AS SELECT nothing(1);\n",
        "-- depends: FILE",
    ),
}


def dying(shop: Workshop, line: int, *more: str) -> int:
    """Run the command until a line, and give how it ended; at line 0 it lives, and the lines are counted."""
    program = ("-m", "tests.acceptance.mortal", str(line), "migrate_all", "--noinput", *more)
    counting = {**shop.environment, "ACCORD_COUNT_LINES": str(shop.folder / "lines")}
    return run_python(program, env=counting, cwd=ROOT, timeout=60).returncode


@pytest.mark.by_turns(4)
def test_killed_run_ends_as_one_that_lived(shop: Workshop) -> None:
    """Wherever it dies, both views are of one text at any time, and the next run ends it, up and down."""
    lines, numbers, ends = 0, chance("objects"), []
    for _ in range(1 + moments(24, 3)):
        file(shop, "named", NAMED.replace("AS word", "AS label"))
        file(shop, "counted", COUNTED.replace("word", "label"))
        for column in ("label", "word"):
            step = step_of(shop, "named")
            how = ("--revert", "--step", step) if column == "word" else ("--store", "objects")
            ends.append(dying(shop, numbers.randrange(1, lines) if lines else 0, *how))
            assert shop.rows("SELECT things FROM counted") == [(1,)]
            if column == "label" or step_of(shop, "named") == step:
                migrate(shop, *how[:3] if column == "word" else ())
            assert shop.rows(f"SELECT {column} FROM named") == [("number 7",)]
            lines = lines or int((shop.folder / "lines").read_text())
    assert ends[:2] == [0, -9]


@pytest.mark.by_turns(4)
def test_files_that_the_server_or_we_refuse_leave_nothing(shop: Workshop) -> None:
    """File and line are told; nothing of them stands, and nothing is recorded."""
    for text, words in BAD.values():
        file(shop, "bad", text)
        assert words in refused(shop)
        assert shop.rows("SELECT to_regclass('bad'), to_regclass('good'), to_regclass('more')") == [
            (None,) * 3
        ]
    assert "bad" not in recorded(shop)


@pytest.mark.by_turns(4)
def test_procedure_trigger_and_materialised_view_are_kinds_as_well(shop: Workshop) -> None:
    """The trigger needs its function; the materialised view has its index in its file; all change and go."""
    file(shop, "stamp", """
        -- object: function stamp()
        CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN NEW.id = NEW.id + 1; RETURN NEW; END $$;
        """)  # fmt: skip
    file(shop, "stamped", """
        -- object: trigger stamped on workshop_thing
        -- depends: stamp
        CREATE TRIGGER stamped BEFORE INSERT ON workshop_thing FOR EACH ROW EXECUTE FUNCTION stamp();
        """)  # fmt: skip
    file(shop, "empty", """
        -- object: procedure empty()
        CREATE PROCEDURE empty()
        BEGIN ATOMIC DELETE FROM workshop_thing; SELECT CASE 1 WHEN 1 THEN 2 END; END;
        """)  # fmt: skip
    file(shop, "kept", """
        -- object: materialized view kept
        -- after: workshop.0001_thing
        CREATE MATERIALIZED VIEW kept AS SELECT id FROM workshop_thing;
        CREATE UNIQUE INDEX kept_id ON kept (id);
        """)  # fmt: skip
    migrate(shop)
    execute(shop.variables["DATABASE_URL"], "INSERT INTO workshop_thing VALUES (8)")
    assert shop.rows("SELECT max(id) FROM workshop_thing") == [(9,)]

    text = (shop.folder / "workshop/database_objects/stamped.sql").read_text()
    file(shop, "stamped", text.replace("BEFORE INSERT", "BEFORE INSERT OR UPDATE"))
    text = (shop.folder / "workshop/database_objects/kept.sql").read_text()
    file(shop, "kept", text.replace("SELECT id", "SELECT id + 1 AS id"))
    migrate(shop)
    assert shop.rows("SELECT max(id), count(*) FROM kept") == [(10, 2)]
    assert shop.rows("SELECT indexname FROM pg_indexes WHERE tablename = 'kept'") == [("kept_id",)]
    assert shop.run("migrate_all", "--check-live", "--store", "objects").returncode == 0

    execute(shop.variables["DATABASE_URL"], "ALTER TABLE workshop_thing DISABLE TRIGGER stamped")
    found = shop.run("migrate_all", "--check-live", "--store", "objects")
    assert "The trigger stamped on workshop_thing is not as" in found.stdout


OWN_ROWS = """
    -- object: policy own_rows on workshop_thing
    -- after: workshop.0001_thing
    ALTER TABLE workshop_thing ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own_rows ON workshop_thing USING (id = 7);
    """
SECURED = "SELECT relrowsecurity FROM pg_class WHERE oid = 'workshop_thing'::regclass"


@pytest.mark.by_turns(4)
def test_policy_secures_its_table_and_leaves_it_as_it_was(shop: Workshop) -> None:
    """While another policy stands there the table stays secured; turned off by hand, it is named."""
    url = shop.variables["DATABASE_URL"]
    file(shop, "own_rows", OWN_ROWS)
    migrate(shop)
    file(shop, "no_rows", OWN_ROWS.replace("own_rows", "no_rows").replace("id = 7", "false"))
    migrate(shop)
    file(shop, "own_rows", OWN_ROWS.replace("id = 7", "id = 8"))
    migrate(shop)
    assert shop.rows("SELECT qual FROM pg_policies ORDER BY policyname") == [("false",), ("(id = 8)",)]

    execute(url, "ALTER TABLE workshop_thing DISABLE ROW LEVEL SECURITY")
    found = shop.run("migrate_all", "--check-live", "--store", "objects")
    assert "The policy own_rows on workshop_thing is not as" in found.stdout
    execute(url, "ALTER TABLE workshop_thing ENABLE ROW LEVEL SECURITY")
    assert shop.run("migrate_all", "--check-live", "--store", "objects").returncode == 0

    migrate(shop, "--revert", "--step", step_of(shop, "own_rows"))
    left = migrate(shop, "--revert", "--step", step_of(shop, "own_rows"))
    assert "rows stay secured" in left.stdout + left.stderr
    assert shop.rows(SECURED) == [(True,)]
    execute(
        url, "DROP POLICY no_rows ON workshop_thing", "ALTER TABLE workshop_thing DISABLE ROW LEVEL SECURITY"
    )


@pytest.mark.by_turns(4)
def test_last_policy_takes_the_security_of_its_table_along(shop: Workshop) -> None:
    """It was off before the policy came."""
    file(shop, "own_rows", OWN_ROWS)
    migrate(shop)
    assert shop.rows(SECURED) == [(True,)]
    migrate(shop, "--revert", "--step", step_of(shop, "own_rows"))
    assert shop.rows(SECURED) == [(False,)]


GRANTS = """
    -- object: grants on workshop_thing
    -- after: workshop.0001_thing
    GRANT SELECT ON workshop_thing TO PUBLIC;
    """
GRANTED = "SELECT has_table_privilege('public', 'workshop_thing', '{}')"


@pytest.mark.by_turns(4)
def test_grants_are_what_the_file_says_and_nothing_else(shop: Workshop) -> None:
    """A line taken out is a right taken away; the way back gives it again; an unknown role is named."""
    file(shop, "readers", GRANTS.replace("SELECT ON", "SELECT, INSERT ON"))
    migrate(shop)
    file(shop, "readers", GRANTS)
    migrate(shop)
    rights = ("SELECT", "INSERT")
    assert [shop.rows(GRANTED.format(right)) for right in rights] == [[(True,)], [(False,)]]
    migrate(shop, "--revert", "--step", step_of(shop, "readers"))
    assert [shop.rows(GRANTED.format(right)) for right in rights] == [[(True,)], [(True,)]]

    file(shop, "readers", GRANTS.replace("PUBLIC", "nobody_of_this_name"))
    assert 'readers.sql: the server refused the grants on workshop_thing: role "nobody' in refused(shop)
    execute(shop.variables["DATABASE_URL"], "REVOKE INSERT ON workshop_thing FROM PUBLIC")
    found = shop.run("migrate_all", "--check-live", "--store", "objects")
    assert "The grants on workshop_thing is not as" in found.stdout


@pytest.mark.by_turns(4)
def test_other_commands_know_the_store(shop: Workshop) -> None:
    """Plan, proof, list, lint, health, checks; what was lost is made again, all of it; our part goes."""
    url = shop.variables["DATABASE_URL"]
    file(shop, "counted", COUNTED.replace("count(word)", "count(*)"))
    migrate(shop)
    assert shop.answer("migrate_all", "--plan")["steps"] == []
    assert "named@" in shop.run("showmigrations_all").stdout
    assert "Looked at 1 migration" in shop.run("lint_migrations").stdout
    assert shop.run("check").returncode == 0
    assert "objects of default" in shop.run("health_check").stdout

    execute(url, "DROP VIEW counted, named", "DROP FUNCTION words(integer)")
    done = shop.run("migrate_all", "--rebuild", "objects", "--noinput")
    assert done.returncode == 0, done.stdout + done.stderr
    assert shop.rows("SELECT things FROM counted") == [(1,)]
    assert recorded(shop).count("counted") == 2

    done = shop.run("accord_uninstall", "--remove", "--with-evidence", "--noinput")
    assert shop.rows("SELECT to_regclass('accord_object')") == [(None,)], done.stdout + done.stderr
    assert shop.rows("SELECT things FROM counted") == [(1,)]


@pytest.mark.by_turns(4)
def test_text_waits_for_a_reader_briefly_and_tries_again(shop: Workshop) -> None:
    """While it waits, others read on; it goes on when the reader is gone, and else leaves nothing."""
    policy = {"development": {"locks": {"lock_timeout": 0.3, "budget": 1}}}
    told = {"WORKSHOP_ENVIRONMENT": "development", "WORKSHOP_POLICY": json.dumps(policy)}
    shop = Workshop(folder=shop.folder, variables={**shop.variables, **told})
    file(shop, "counted", COUNTED.replace("count(word)", "count(*)").replace("things", "many"))
    with closing(psycopg2.connect(shop.variables["DATABASE_URL"])) as reader:
        reader.cursor().execute("SELECT * FROM counted")
        assert "ACC-408" in refused(shop)
    assert shop.rows("SELECT things FROM counted") == [(1,)]
    migrate(shop)
    assert shop.rows("SELECT many FROM counted") == [(1,)]
