"""Files of objects: what is read of them, which steps they are, and what is refused without a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace

import pytest

from accord.errors import AccordError, InvalidRevision, RevisionUnreadable
from accord.seam.types import Step, StepKey
from migrator.errors import CyclicDependency, MissingDependency
from migrator.objects import files
from migrator.objects.book import Book, Entry
from migrator.objects.history import Chain
from migrator.objects.source import ObjectSource, parse

Write = Callable[..., None]
TABLE = StepKey("default", "shop", "0001_thing")


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Give a writer of files of the app `shop`."""
    (tmp_path / files.FOLDER).mkdir()
    app = SimpleNamespace(path=str(tmp_path), label="shop")
    monkeypatch.setattr(files, "apps", SimpleNamespace(get_app_configs=lambda: [app]))

    def to(**texts: str) -> None:
        for name, text in texts.items():
            (tmp_path / files.FOLDER / f"{name}.sql").write_text(text)

    return to


def read(text: str) -> ObjectSource:
    return parse(text, app="shop", name="thing", path=Path("thing.sql"))


def view(name: str, depends: str = "", body: str = "SELECT 1", more: str = "") -> str:
    needs = f"-- depends: {depends}\n" if depends else ""
    return f"-- object: view {name}\n{needs}{more}CREATE VIEW {name} AS {body};\n"


def chain(book: Book | None = None) -> Sequence[Step]:
    made = Chain(
        store="objects",
        database="default",
        versions=files.read("objects", is_default=True),
        book=book or Book(),
    )
    return made.steps({TABLE})


def entry(step: Step, file: str, number: int) -> Entry:
    return Entry(
        app="shop",
        file=file,
        number=number,
        name=step.key.name,
        digest=step.key.name.rpartition("@")[2],
        text=step.source.text,
        needs="[" + ", ".join(f'"{key}"' for key in step.dependencies) + "]",
        live="",
        beside="",
        how="applied",
    )


def test_first_lines_say_what_a_file_makes_and_needs() -> None:
    """Kind, name, and lists; a comment after a blank line is a comment."""
    found = read("-- object: materialized view a.b\n-- after: shop.0001, shop.0002\n\n-- Note: x\nSELECT 1")

    assert (found.kind.word, found.identity) == ("materialized view", "a.b")
    assert found.after == ("shop.0001", "shop.0002")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "doesn't say which object"),
        ("CREATE VIEW a AS SELECT 1", "doesn't say which object"),
        ("-- object: table a\nCREATE TABLE a ()", "doesn't say which object"),
        ("-- object: function a\nSELECT 1", "doesn't say which object"),
        ("-- object: trigger a\nSELECT 1", "doesn't say which object"),
        ("-- object: view a\n-- dependz: b\nSELECT 1", "“-- dependz:”"),
        ("-- object: view a\n-- object: view b\nSELECT 1", "“-- object:”"),
        ("-- object: view a\n", "has no statement"),
        ("-- object: view a\n-- nothing but a word", "has no statement"),
        ("-- object: view a\n-- removed: old\nSELECT 1", "has statements"),
        ("-- object: view a\nBEGIN; SELECT 1; COMMIT;", "BEGIN would reach"),
        ("-- object: view a\nSELECT 1; /* so */ commit", "COMMIT would reach"),
        ("-- object: view a\n/* nothing\n but words */", "has no statement"),
        ("-- object: view a\nSET search_path = x; SELECT 1", "SET would reach"),
    ],
)
def test_file_that_can_not_be_sent_is_refused_with_its_path(text: str, words: str) -> None:
    """Before a server is asked."""
    with pytest.raises(InvalidRevision, match=r"thing\.sql") as caught:
        read(text)
    assert words in caught.value.message


@pytest.mark.parametrize(
    "body",
    [
        "SET LOCAL work_mem = '1MB'; SELECT 1",
        "SELECT 'x; COMMIT; y'",
        "CREATE FUNCTION a() RETURNS void LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$",
        "CREATE PROCEDURE a() BEGIN ATOMIC SELECT CASE 1 WHEN 1 THEN 2 END; SELECT 2; END; SELECT 3",
    ],
)
def test_words_within_a_body_or_a_text_are_no_statements(body: str) -> None:
    """What begins no statement of the file reaches nowhere."""
    assert read(f"-- object: view a\n{body}").identity == "a"


@pytest.mark.parametrize(
    ("texts", "error", "words"),
    [
        ({"a": view("x"), "b": view("x", body="SELECT 2")}, InvalidRevision, "make the same view x"),
        ({"a": view("a", "b"), "b": view("b", "a")}, CyclicDependency, "in a circle"),
        ({"a": view("a", "z")}, MissingDependency, "depends on z"),
        ({"a": view("a", "b"), "b": "-- object: view b\n-- removed: old\n"}, InvalidRevision, "removes"),
    ],
)
def test_files_that_do_not_fit_together_are_refused(
    write: Write, texts: dict[str, str], error: type[AccordError], words: str
) -> None:
    """The message names them."""
    write(**texts)
    with pytest.raises(error, match=words):
        chain()


def test_file_that_is_no_text_is_refused(write: Write, tmp_path: Path) -> None:
    """With its path."""
    (tmp_path / files.FOLDER / "a.sql").write_bytes(b"\xff\xfe")
    with pytest.raises(RevisionUnreadable, match=r"a\.sql"):
        chain()


def test_step_is_named_by_what_it_and_all_below_it_say(write: Write) -> None:
    """What depends on a changed file is new, too; line endings change nothing, and no neighbour changes."""
    write(low=view("low"), high=view("high", "low"), beside=view("beside"))
    before = {step.title: step for step in chain()}
    assert before["view low"].key in before["view high"].dependencies
    write(beside=view("beside").replace("\n", "\r\n"))
    assert {step.title: step.key for step in chain()} == {title: step.key for title, step in before.items()}

    write(low=view("low", body="SELECT 2"))
    after = {step.title: step for step in chain()}
    changed = {title for title in after if after[title].key != before[title].key}
    assert changed == {"view low", "view high"}


def test_texts_that_were_made_are_steps_one_after_the_other(write: Write) -> None:
    """The newest of the file comes after the last that was made; none is known behind the file's."""
    more = "-- after: shop.0001_thing\n"
    write(low=view("low", more=more))
    (one,) = chain()
    book = Book([entry(one, "low", 1)])
    assert [step.key for step in chain(book)] == [one.key]

    write(low=view("low", body="SELECT 2"))
    first, two = chain(book)
    assert (first.key, first.dependencies) == (one.key, (TABLE,))
    assert (two.dependencies, two.follows) == ((one.key,), (one.key,))

    write(low=view("low", more=more))
    (only,) = chain(Book([entry(one, "low", 1), entry(two, "low", 2)]))
    assert only.key == one.key


def test_file_that_is_gone_takes_its_steps_along_unless_it_removed_the_object(
    write: Write, tmp_path: Path
) -> None:
    """So the engine names what the ledger holds and no file declares."""
    write(low=view("low"))
    (one,) = chain()
    write(low="-- object: view low\n-- removed: old\n")
    _, gone = chain(Book([entry(one, "low", 1)]))
    (tmp_path / files.FOLDER / "low.sql").unlink()

    assert chain(Book([entry(one, "low", 1)])) == []
    assert [step.key for step in chain(Book([entry(one, "low", 1), entry(gone, "low", 2)]))] == [
        one.key,
        gone.key,
    ]


def test_object_goes_after_what_stood_on_it(write: Write) -> None:
    """Whatever the files are called."""
    write(a=view("a"), b=view("b", "a"))
    low, high = chain()
    book = Book([entry(low, "a", 1), entry(high, "b", 1)])
    write(a="-- object: view a\n-- removed: old\n", b=view("b", body="SELECT 2"))
    steps = {step.key: step for step in chain(book)}
    (removal,) = [step for step in steps.values() if step.title.startswith("remove")]

    assert any(key.name.startswith("b@") for key in removal.dependencies)
