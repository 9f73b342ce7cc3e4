"""The operation that fills, as files have it; what it says, compiled and refused. No server is asked."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import OperationWriter
from django.db.models import F, Q, Value
from django.db.models.functions import Lower

from accord.errors import InvalidRevision
from accord.seam.types import Phase
from migrator.operations import Backfill
from migrator.operations.compiling import columns, condition, different
from migrator.operations.sql import EVERY, Sql, both, joined, put
from migrator.operations.walking import Rows, Walk

WALK = Walk(table='"play"', keys=('"shelf"', '"place"'), types=("text", "integer"))


def nothing(rows: Any, apps: Any, schema_editor: Any) -> None:
    """Change nothing."""


@pytest.fixture
def play() -> type[models.Model]:
    """Give a model with two columns."""
    state = ProjectState()
    fields: list[tuple[str, Any]] = [
        ("id", models.BigAutoField(primary_key=True)),
        ("at", models.IntegerField()),
        ("title", models.CharField(max_length=9, db_column="name")),
    ]
    state.add_model(ModelState("shop", "Play", fields))
    return state.apps.get_model("shop", "Play")


def text_of(sql: Sql | None) -> str:
    assert sql is not None
    return sql.text


@pytest.mark.parametrize(
    "operation",
    [
        Backfill("play", set={"at": "at + 1", "title": Lower(F("title"))}, filter=Q(at__gt=3), backward={}),
        Backfill("play", run=nothing, writes=["at"], where="at > 3", subject=("a.b", "at"), batch_size=9),
        Backfill("play", set={"at": 0}, lacks="at > 0", backward={"at": Value(1)}, pause=0.1),
    ],
)
def test_operation_is_written_into_a_file_and_read_again(operation: Backfill) -> None:
    """As squashing and makemigrations do; nothing that wasn't said is written."""
    text, imports = OperationWriter(operation, indentation=0).serialize()
    found: dict[str, Any] = {}

    exec("\n".join([*imports, f"found = {text.rstrip(',')}"]), found)  # noqa: S102 - what was just written

    assert found["found"].deconstruct() == operation.deconstruct()
    assert operation.phase is Phase.BACKFILL
    assert "pause" not in text or operation.said.pause


def test_it_says_what_it_is() -> None:
    """To people, to Django, and to whoever reads a file's name."""
    fill, code = (
        Backfill("Play", set={"at": 0}),
        Backfill("Play", run=nothing, writes=["title"], backward=nothing),
    )

    assert (fill.describe(), code.describe()) == ("Fill at of Play", "Fill title of Play")
    assert (fill.migration_name_fragment, code.migration_name_fragment) == ("fill_play_at", "fill_play_title")
    assert (fill.reversible, code.reversible) == (False, True)
    assert (fill.reduces_to_sql, code.reduces_to_sql) == (True, False)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({}, "takes `set` or `run`"),
        ({"set": {"at": 1}, "run": nothing}, "takes `set` or `run`"),
        ({"set": {"at": 1}, "writes": ["at"]}, "goes with `run`"),
        ({"set": {"at": 1}, "batch_size": 0}, "A batch of 0 rows"),
        ({"set": {"at": 1}, "subject": "listener"}, "subject of Backfill is a pair"),
    ],
)
def test_words_that_do_not_fit_together_are_refused(words: dict[str, Any], message: str) -> None:
    """As soon as the file is read."""
    with pytest.raises(InvalidRevision, match=message):
        Backfill("play", **words)


def test_it_is_known_by_the_file_that_makes_it() -> None:
    """Two migrations that say the same are two walks; a mended value is the same one."""
    one, other = (said(name) for name in ("shop.migrations.0002", "shop.migrations.0003"))
    again = said("shop.migrations.0002", value=7)

    assert one != other
    assert one == again
    assert one != said("shop.migrations.0002", where="at > 3")


def said(module: str, value: int = 1, where: str = "") -> str:
    """Return what tells an operation from others that a module makes."""
    found: dict[str, Any] = {"__name__": module, "Backfill": Backfill}
    exec(f"found = Backfill('play', set={{'at': {value}}}, where='{where}')", found)  # noqa: S102 - ours
    operation = found["found"]
    return str(operation.said.identity(operation._of))


def test_values_and_conditions_become_sql_of_one_table(play: type[models.Model]) -> None:
    """Names are those of columns; a sign of per cent of an author's means itself."""
    (at, title) = columns(play, connection, {"at": F("at") * 2, "title": "name || '%'"})

    assert (text_of(at.name), text_of(at.value), at.value.params if at.value else ()) == (
        '"at"',
        '("at" * %s)',
        (2,),
    )
    assert text_of(title.value) == "(name || '%%')"
    assert condition(play, connection, "at % 2 = 0") == Sql("at %% 2 = 0")
    assert condition(play, connection, Q(title="x")) == Sql('"name" = %s', ("x",))
    assert condition(play, connection, Q()) is EVERY


def test_value_that_is_made_of_what_it_writes_is_not_proved_by_it(play: type[models.Model]) -> None:
    """Nobody can see from a row how often `at + 1` was done to it; a column beside it says it."""
    assert different(columns(play, connection, {"at": "at + 1"})) is None
    assert different(columns(play, connection, {"at": F("at") + 1})) is None
    assert different(columns(play, connection, {"at": "length(name)", "title": "'x'"})) is None
    assert text_of(different(columns(play, connection, {"at": "length(name)"}))).startswith(
        '("at" IS DISTINCT FROM CAST((length(name)) AS integer)'
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"when": 1}, "has no field “when”"),
        ({"id": 1}, "is of the primary key"),
        ({"at": F("when")}, "Cannot resolve keyword 'when'"),
    ],
)
def test_what_is_not_of_the_model_is_refused(
    play: type[models.Model], values: dict[str, Any], message: str
) -> None:
    """With the names that there are."""
    with pytest.raises(InvalidRevision, match=message):
        columns(play, connection, values)


def test_bounds_are_compared_as_the_index_is_sorted() -> None:
    """A key of several columns is one row of them; an end that isn't given narrows nothing."""
    among = WALK.among(Rows(("a", "7"), ("b", "9")))

    assert among.text == (
        '(("shelf", "place") > (CAST(%s AS text), CAST(%s AS integer)))'
        ' AND (("shelf", "place") <= (CAST(%s AS text), CAST(%s AS integer)))'
    )
    assert among.params == ("a", "7", "b", "9")
    assert WALK.among(Rows()) is EVERY


def test_a_walk_is_sorted_by_its_columns_and_not_by_their_texts() -> None:
    """A cast keeps the name of its column: `ORDER BY` would find that one first."""
    query = WALK.nth(9, EVERY, backwards=True).text

    assert 'CAST("shelf" AS text) AS accord_key_0' in query
    assert query.endswith('ORDER BY "shelf" DESC, "place" DESC LIMIT 1 OFFSET 9')


def test_pieces_keep_their_values_in_order() -> None:
    """Whatever is put where."""
    one, two = Sql("a = %s", (1,)), Sql("b = %s", (2,))

    assert both(one, EVERY, two) == Sql("(a = %s) AND (b = %s)", (1, 2))
    assert put("{} OR {}", two, one) == Sql("b = %s OR a = %s", (2, 1))
    assert joined(", ", []) == Sql("")
