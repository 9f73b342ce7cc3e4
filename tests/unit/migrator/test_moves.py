"""A model moves between apps in states: what Django's autodetector says of it afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.apps.registry import Apps
from django.db import models
from django.db.migrations import Migration
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.state import ModelState, ProjectState
from django.db.migrations.writer import OperationWriter
from pytest_django.fixtures import Settings

from accord.errors import InvalidRevision
from accord.seam.types import Phase
from migrator.operations import MoveModel
from migrator.relational.loader import DiskLoader
from migrator.relational.taking import apps_for


class Plays(models.Manager[Any]):
    use_in_migrations = True


def project(home: str, *, table: str = "", names: str = "streaming") -> ProjectState:
    """Return the models of a project whose Play lives in an app, as its code would have them."""
    registry = Apps()

    def meta(app: str, **options: Any) -> type:
        return type("Meta", (), {"app_label": app, "apps": registry, **options})

    def model(app: str, name: str, bases: tuple[Any, ...] = (models.Model,), **body: Any) -> Any:
        options = body.pop("options", {})
        return type(name, bases, {"__module__": f"{app}.models", "Meta": meta(app, **options), **body})

    key: dict[str, Any] = {"id": models.BigAutoField(primary_key=True)}
    label = model("streaming", "Label", **key)
    options = {"db_table": table} if table else {}
    rules = {
        "constraints": [models.UniqueConstraint(fields=["at"], name=f"{names}_play_once")],
        "indexes": [models.Index(fields=["-at"], name="by_time")],
        "unique_together": {("at", "label")},
    }
    play = model(
        home,
        "Play",
        **key,
        at=models.IntegerField(),
        label=models.ForeignKey(label, models.CASCADE, related_name="%(app_label)s_plays"),
        after=models.ForeignKey("self", models.SET_NULL, null=True, related_name="+"),
        alike=models.ManyToManyField("self"),
        labels=models.ManyToManyField(label, related_name="+"),
        objects=Plays(),
        options={**options, **rules},
    )
    child = model("streaming", "LivePlay", (play,), hall=models.TextField())
    proxy = model("reviews", "LoudPlay", (play,), options={"proxy": True})
    review = model("reviews", "Review", **key, play=models.ForeignKey(play, models.CASCADE))
    through = model(
        "reviews",
        "Chosen",
        **key,
        play=models.ForeignKey(play, models.CASCADE, related_name="+"),
        list=models.ForeignKey("reviews.PlayList", models.CASCADE),
    )
    listed = model(
        "reviews",
        "PlayList",
        **key,
        plays=models.ManyToManyField(play, through=through, related_name="lists"),
        liked=models.ManyToManyField(play, related_name="+"),
        only=models.OneToOneField(play, models.CASCADE, related_name="+"),
    )
    made = (label, play, child, proxy, review, through, listed)
    return _state({(one._meta.app_label, one._meta.model_name): ModelState.from_model(one) for one in made})


def _state(made: Mapping[tuple[str, str], ModelState]) -> ProjectState:
    state = ProjectState()
    for one in made.values():
        state.add_model(one)
    return state


def said(before: ProjectState, after: ProjectState) -> Mapping[str, Any]:
    """Return what `makemigrations` would write."""
    # Not `changes`, which leaves out apps without migrations until it is asked for their first.
    found: Mapping[str, Any] = MigrationAutodetector(before, after)._detect_changes()  # type: ignore[attr-defined]
    return {app: [each.operations for each in migrations] for app, migrations in found.items()}


def test_what_django_makes_of_it_alone_drops_the_table() -> None:
    """Without the operation, a model goes and another comes."""
    found = said(project("streaming"), project("events", table="streaming_play"))

    kinds = {type(each).__name__ for some in found.values() for one in some for each in one}
    assert {"DeleteModel", "CreateModel"} <= kinds


@pytest.mark.parametrize("rendered", [False, True], ids=["bare", "rendered"])
def test_after_a_move_there_is_nothing_to_write(rendered: bool) -> None:
    """Keys in and out, to itself, many-to-many, children, proxies and managers follow."""
    state = project("streaming")
    if rendered:
        assert state.apps.get_model("streaming", "Play")

    MoveModel("Play", from_app="streaming").state_forwards("events", state)

    assert said(state, project("events", table="streaming_play")) == {}
    assert said(project("events", table="streaming_play"), state) == {}
    moved: Any = state.apps.get_model("events", "Play")
    assert state.apps.get_model("reviews", "Review")._meta.get_field("play").related_model is moved
    assert issubclass(state.apps.get_model("streaming", "LivePlay"), moved)
    assert moved._meta.get_field("labels").remote_field.through._meta.db_table == "streaming_play_labels"
    with pytest.raises(LookupError):
        state.apps.get_model("streaming", "Play")


def test_table_and_names_that_follow_the_app_are_asked_for() -> None:
    """What the model would call otherwise in its new app is named otherwise."""
    state = project("streaming")
    names = {"streaming_play_once": "events_play_once"}

    MoveModel("Play", from_app="streaming", rename_table=True, names=names).state_forwards("events", state)

    assert said(state, project("events", names="events")) == {}


def test_index_that_django_names_is_renamed_by_makemigrations() -> None:
    """Its name is made from the table's; it isn't built anew."""
    here, there = (project(home) for home in ("streaming", "events"))
    for state, key in ((here, ("streaming", "play")), (there, ("events", "play"))):
        model: Any = state.apps.get_model(*key)
        index = models.Index(fields=["at", "label"])
        index.set_name_with_model(model)
        state.models[key].options["indexes"] = [*state.models[key].options["indexes"], index]

    MoveModel("Play", from_app="streaming", rename_table=True).state_forwards("events", here)

    assert [type(each).__name__ for each in said(here, there)["events"][0]] == ["RenameIndex"]


def test_there_and_back_is_as_before() -> None:
    """A second move takes it home; the table's name is said from then on."""
    state = project("streaming")

    MoveModel("Play", from_app="streaming").state_forwards("events", state)
    MoveModel("Play", from_app="events").state_forwards("streaming", state)

    assert said(state, project("streaming", table="streaming_play")) == {}


@pytest.mark.parametrize("name", ["Label", "LivePlay", "LoudPlay"])
def test_parents_children_and_proxies_move(name: str) -> None:
    """Each by itself; who refers to it by a bare name, or inherits from it, finds it."""
    state = project("streaming")
    state.models["streaming", "label"].fields["kin"] = models.ForeignKey("Label", models.CASCADE)
    home = "reviews" if name == "LoudPlay" else "streaming"

    MoveModel(name, from_app=home).state_forwards("events", state)

    moved: Any = state.apps.get_model("events", name)
    assert moved._meta.app_label == "events"
    assert state.apps.get_model("streaming", "Play")
    if name == "Label":
        assert moved._meta.get_field("kin").related_model is moved
    else:
        assert moved.__base__ is state.apps.get_model("streaming", "Play")


def test_bare_names_of_the_old_app_are_said_in_full() -> None:
    """A relation to a neighbour goes on to point at the neighbour."""
    state = project("streaming")
    state.models["streaming", "play"].fields["next"] = models.ForeignKey(
        "Label", models.CASCADE, related_name="+"
    )
    state.models["streaming", "play"].fields["many"] = models.ManyToManyField(
        "Label", through="LivePlay", related_name="+"
    )

    MoveModel("Play", from_app="streaming").state_forwards("events", state)

    fields = state.models["events", "play"].fields
    assert fields["next"].remote_field.model == "streaming.Label"
    assert fields["many"].remote_field.through == "streaming.LivePlay"


def test_unmanaged_model_keeps_its_table() -> None:
    """Its table is nobody's here to rename."""
    state = project("streaming")
    state.models["streaming", "label"].options["managed"] = False

    MoveModel("Label", from_app="streaming", rename_table=True).state_forwards("events", state)

    assert state.models["events", "label"].options["db_table"] == "streaming_label"


REFUSED: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "gone": ({"name": "Gone"}, "there is no model streaming.Gone at this point"),
    "taken": ({"name": "Label"}, "there is a model reviews.Label already"),
    "swappable": ({"name": "LivePlay"}, "AUTH_USER_MODEL names the model"),
    "name": ({"name": "Play", "names": {"other": "one"}}, "streaming.Play has no index or constraint other"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_move_that_fits_nothing_is_refused(case: str) -> None:
    """Before anything is changed, with what is there."""
    state = project("streaming")
    state.add_model(ModelState("reviews", "Label", [("id", models.BigAutoField(primary_key=True))]))
    state.models["streaming", "liveplay"].options["swappable"] = "AUTH_USER_MODEL"
    words, text = REFUSED[case]
    before = state.clone()

    with pytest.raises(InvalidRevision, match=text) as refused:
        MoveModel(**words, from_app="streaming").state_forwards("reviews", state)

    assert refused.value.hint
    assert state == before


def test_user_model_of_the_settings_is_refused() -> None:
    """Written migrations say “whatever the setting names”, of before and of after."""
    user = ModelState("auth", "User", [("id", models.BigAutoField(primary_key=True))])
    state = _state({("auth", "user"): user})

    with pytest.raises(InvalidRevision, match="AUTH_USER_MODEL names the model"):
        MoveModel("User", from_app="auth").state_forwards("people", state)


def operations() -> Iterator[MoveModel]:
    """Yield one of each form."""
    yield MoveModel("Play", from_app="streaming")
    yield MoveModel("Play", "streaming", rename_table=True, names={"a": "b"})


def test_operation_is_written_into_a_file_and_read_again() -> None:
    """As squashing does."""
    for operation in operations():
        text, imports = OperationWriter(operation, indentation=0).serialize()
        found: dict[str, Any] = {}

        exec("\n".join([*imports, f"found = {text.rstrip(',')}"]), found)  # noqa: S102 - what was just written

        assert found["found"].deconstruct() == operation.deconstruct()


def test_operation_says_when_it_goes_and_what_it_is() -> None:
    """Behind the deploy where the table keeps its name; to people, and to the optimizer, which keeps off."""
    kept, renamed = operations()

    assert kept.phase is Phase.CONTRACT
    assert not hasattr(renamed, "phase")
    assert kept.describe() == "Move model Play from streaming"
    assert kept.migration_name_fragment == "move_play_from_streaming"
    assert kept.references_model("Anything", "reviews")
    assert kept.reduce(renamed, "events") is False


def test_app_that_only_takes_a_model_is_asked_for_by_it(settings: Settings) -> None:
    """A router that names models is asked about one that has gone on since, too."""

    class Narrow:
        """Lets in one model."""

        def allow_migrate(self, db: str, app_label: str, model_name: str | None = None, **_: object) -> bool:
            """Say so."""
            return (app_label, model_name) == ("events", "play")

    class Disk(DiskLoader):
        """One migration, of an app that isn't installed."""

        def load_disk(self) -> None:
            """Read it."""
            moves = type("Migration", (Migration,), {"operations": [MoveModel("Play", "streaming")]})
            self.disk_migrations = {("events", "0001_move"): moves("0001_move", "events")}
            self.unmigrated_apps, self.migrated_apps = set(), {"events"}

    settings.DATABASE_ROUTERS = [Narrow()]

    assert apps_for("default", Disk()) == ["events"]
