"""What lint says of a model that goes to another app."""

from __future__ import annotations

import pytest

from tests.fix_lint import ROOM, Workbench

GOES = 'migrations.DeleteModel("Room"),'
COMES = """
migrations.CreateModel(
    "Room",
    [
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=40)),
        ("code", models.CharField(max_length=40, null=True)),
        ("size", models.IntegerField(default=0)),
    ],
    OPTIONS
),
"""
KEPT = COMES.replace("OPTIONS", 'options={"db_table": "shop_room"},')
OTHER = KEPT.replace('"size"', '"height"')
MOVE = 'MoveModel("Room", from_app="shop"),'
ABOVE = "from migrator.operations import MoveModel"


def moved(workbench: Workbench, rule: str = "model-moved") -> dict[str, str]:
    """Return what a rule says, by the migration."""
    found = workbench.look(*workbench.written).findings
    return {f"{one.key.app}.{one.key.name}": one.text for one in found if one.rule == rule}


@pytest.mark.parametrize("first", ["shop", "hotel"])
def test_model_that_is_dropped_here_and_made_there_is_told(workbench: Workbench, first: str) -> None:
    """Whichever comes first, at both places, with the operation that does it."""
    workbench.write(ROOM)
    steps = [("shop", GOES), ("hotel", KEPT)]
    for app, body in steps if first == "shop" else steps[::-1]:
        workbench.write(body, app=app, name=f"0002_{app}")

    found = moved(workbench)

    assert found.keys() == {"shop.0002_shop", "hotel.0002_hotel"}
    assert all(text.endswith('MoveModel("Room", from_app="shop").') for text in found.values())


def test_names_and_table_that_differ_are_in_the_operation(workbench: Workbench) -> None:
    """As the author of it would have to look them up."""
    index = 'migrations.AddIndex("room", models.Index(fields=["name"], name="{}_room_name")),'
    workbench.write(ROOM)
    workbench.write(index.format("shop"))
    workbench.write(COMES.replace("OPTIONS", "") + index.format("hotel"), app="hotel")
    workbench.write(GOES)

    (told, _) = moved(workbench).values()

    wanted = """rename_table=True, names={'shop_room_name': 'hotel_room_name'})"""
    assert f'MoveModel("Room", from_app="shop", {wanted}' in told


FINE = {
    "other fields": (("hotel", OTHER), ("shop", GOES)),
    "another name": (("hotel", KEPT.replace('"Room"', '"Chamber"')), ("shop", GOES)),
    "rows are copied": (("hotel", KEPT), ("hotel", 'migrations.RunSQL("SELECT 1", ""),'), ("shop", GOES)),
    "state alone": (
        ("shop", f"migrations.SeparateDatabaseAndState(state_operations=[{GOES}]),"),
        ("hotel", f"migrations.SeparateDatabaseAndState(state_operations=[{KEPT}]),"),
    ),
    "moved": (("hotel", MOVE),),
}


@pytest.mark.parametrize("case", FINE)
def test_what_takes_rows_along_or_has_none_is_left_alone(workbench: Workbench, case: str) -> None:
    """Another model, a copy, a move in the state, and the operation itself."""
    workbench.write(ROOM)
    for number, (app, body) in enumerate(FINE[case]):
        workbench.write(body, app=app, name=f"000{number + 2}_step", above=ABOVE)

    assert moved(workbench) == {}
    if case == "moved":
        assert [one.rule for one in workbench.look().findings] == []


def test_what_follows_a_move_is_about_the_same_table(workbench: Workbench) -> None:
    """By its new label, and by keys that were written before."""
    workbench.write(ROOM)
    workbench.write(MOVE, app="hotel", above=ABOVE)
    workbench.write('migrations.AddIndex("room", models.Index(fields=["name"], name="n")),', app="hotel")

    (found,) = [one for one in workbench.look().findings if one.rule == "index-not-concurrent"]

    assert found.table == "shop_room"


def test_table_that_is_renamed_along_is_told(workbench: Workbench) -> None:
    """Running code finds it by its old name."""
    workbench.write(ROOM)
    workbench.write(MOVE.replace("),", ", rename_table=True),"), app="hotel", above=ABOVE)

    (found,) = [one for one in workbench.look().findings if one.rule == "renamed"]

    assert found.text.startswith("shop_room becomes hotel_room at once")


NAMING = {
    "key": 'migrations.CreateModel("Seat", [("id", models.BigAutoField(primary_key=True)), '
    '("room", models.ForeignKey("shop.room", models.CASCADE))]),',
    "field": 'migrations.AddField("seat", "rooms", models.ManyToManyField("shop.Room")),',
    "child": 'migrations.CreateModel("Suite", [], bases=("shop.room",)),',
}


@pytest.mark.parametrize("case", [*NAMING, "own app"])
def test_migration_that_may_run_behind_the_move_is_told(workbench: Workbench, case: str) -> None:
    """By the move, until it depends on it; then all is in order."""
    app, body = "house", NAMING.get(case, "")
    if case == "own app":
        app, body = "shop", 'migrations.AlterField("room", "name", models.TextField()),'
    first = workbench.write(ROOM)
    other = workbench.write(body, app=app, name="0002_other")
    move = workbench.write(MOVE, app="hotel", above=ABOVE, name="0003_move")
    workbench.written[other].dependencies = [first]
    workbench.written[move].dependencies = [first]

    found = moved(workbench, "move-unordered")

    assert found == {
        "hotel.0003_move": f"{app}.0002_other names shop.Room, and isn't ordered before the move."
    }
    workbench.written[move].dependencies = [first, other]
    assert moved(workbench, "move-unordered") == {}


def test_migration_of_another_model_may_run_whenever_it_likes(workbench: Workbench) -> None:
    """Its neighbours don't wait for a model that moves."""
    first = workbench.write(ROOM)
    other = workbench.write('migrations.AddField("owner", "at", models.IntegerField(null=True)),')
    move = workbench.write(MOVE, app="hotel", above=ABOVE)
    workbench.written[other].dependencies = [first]
    workbench.written[move].dependencies = [first]

    assert moved(workbench, "move-unordered") == {}
