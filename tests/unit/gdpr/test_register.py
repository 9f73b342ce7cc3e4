"""The file of the register of erasures: what it refuses, what it mends, and what it destroys."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings

from accord.secrets import signing
from gdpr.checks import register_has_a_place
from gdpr.datamap.subjects import SubjectKeys
from gdpr.errors import RegisterBroken, RegisterUnavailable
from gdpr.register import checkpoint, seals, soundness
from gdpr.register.entries import EntryDraft, EntryWord, RegisterEntry, fault
from gdpr.register.file import RegisterFile, obstacle
from gdpr.register.soundness import checked, is_due
from tests.chance import chance, seed

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BEGINNING = EntryDraft(word=EntryWord.BEGUN, at=NOW, facts={"register": "a" * 32})
WORD = "Zqx7-Kanarienvogel"


def draft(number: int = 1, *, days: float = 100_000) -> EntryDraft:
    """Say that somebody was erased."""
    keys = SubjectKeys(
        kind="shop.Customer", primary=number, alternates={"email": f"{WORD}{number}@example.com"}
    )
    return EntryDraft(
        word=EntryWord.DONE,
        at=NOW,
        request=f"{number:032x}",
        keep_until=NOW + timedelta(days=days),
        secrets=seals.sealed(f"shop.customer/k/{number}", keys),
    )


@pytest.fixture
def file(tmp_path: Path) -> RegisterFile:
    """Give a register with three erasures."""
    made = RegisterFile(tmp_path / "deep" / "register.jsonl")
    made.append([draft(1), draft(2), draft(3)], beginning=BEGINNING)
    return made


def words(file: RegisterFile) -> list[tuple[int, str, str]]:
    """Tell what a register says, without the zeros."""
    return [(one.seq, str(one.draft.word), one.draft.request.lstrip("0")) for one in file.entries()]


THREE = [(1, "begun", ""), (2, "done", "1"), (3, "done", "2"), (4, "done", "3")]


def test_entries_are_read_as_they_were_written(file: RegisterFile) -> None:
    """In both directions, with the keys of whom they are about, which nobody reads in the file."""
    assert words(file) == THREE
    assert [one.seq for one in file.newest()] == [4, 3, 2, 1]
    assert [one.seq for one in file.since(3)] == [3, 4]
    last = file.last()
    assert last is not None
    assert last.draft.secrets is not None
    assert seals.opened(last.draft.secrets).alternates == {"email": f"{WORD}3@example.com"}
    assert WORD not in file.path.read_text()
    assert file.path.stat().st_mode & 0o077 == 0


def test_entry_longer_than_what_is_read_at_once(file: RegisterFile) -> None:
    """A person with very many rows has an entry of hundreds of kilobytes."""
    keys = SubjectKeys(kind="shop.Customer", primary=4, collected={"orders": tuple(range(100_000))})
    file.append(
        [EntryDraft(word=EntryWord.DONE, at=NOW, secrets=seals.sealed("t", keys))], beginning=BEGINNING
    )
    file.append([draft(5)], beginning=BEGINNING)

    assert [one.seq for one in file.newest()] == [6, 5, 4, 3, 2, 1]
    assert [one.seq for one in file.since(5)] == [5, 6]


def test_torn_last_line_is_taken_away_wherever_it_was_cut(
    file: RegisterFile, caplog: pytest.LogCaptureFixture
) -> None:
    """Killed at any byte of a write, the register says what it said before, goes on, and tells it."""
    whole = file.path.read_bytes()
    start = whole.rindex(b"\n", 0, -1) + 1
    for end in (start + 1, start + 17, (start + len(whole)) // 2, len(whole) - 1):
        file.path.write_bytes(whole[:end])
        caplog.clear()

        seen = words(file)
        with caplog.at_level(logging.WARNING):
            file.append([draft(9)], beginning=BEGINNING)

        assert seen == THREE[:3]
        assert words(file) == [*THREE[:3], (4, "done", "9")]
        assert f"{end - start} bytes were taken away" in caplog.text
        assert checked(file).done == 3


def test_whole_line_is_never_taken_away(file: RegisterFile, caplog: pytest.LogCaptureFixture) -> None:
    """What ends as it should stays, without a word."""
    file.append([draft(4)], beginning=BEGINNING)

    assert words(file) == [*THREE, (5, "done", "4")]
    assert caplog.text == ""


def lose_a_line(lines: list[bytes]) -> list[bytes]:
    return [*lines[:2], *lines[3:]]


def swap_lines(lines: list[bytes]) -> list[bytes]:
    return [lines[0], lines[2], lines[1], lines[3]]


def other_reference(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], lines[3].replace(b"000003", b"000009")]


def other_keys(lines: list[bytes]) -> list[bytes]:
    left, right = (json.loads(lines[number]) for number in (2, 3))
    return [*lines[:3], json.dumps({**right, "secrets": left["secrets"]}).encode() + b"\n"]


def keys_away(lines: list[bytes]) -> list[bytes]:
    read = json.loads(lines[3])
    del read["secrets"]
    return [*lines[:3], json.dumps(read).encode() + b"\n"]


def no_entry(lines: list[bytes]) -> list[bytes]:
    return [*lines[:3], b'{"seq": 4}\n']


@pytest.mark.parametrize(
    "change", [lose_a_line, swap_lines, other_reference, other_keys, keys_away, no_entry]
)
def test_change_is_found(file: RegisterFile, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """A line that is gone, moved or edited; keys exchanged, or taken away before their time."""
    file.path.write_bytes(b"".join(change(file.path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(RegisterBroken):
        checked(file)


def test_entry_that_somebody_else_signed_is_found(file: RegisterFile) -> None:
    """Written anew with a right chain and another key, it bears no signature of ours."""
    other = RegisterFile(file.path.with_name("forged.jsonl"))
    with override_settings(SECRET_KEY="another" * 10):
        other.append([draft(1)], beginning=BEGINNING)

    with pytest.raises(RegisterBroken, match="no signature of this project"):
        other.since(1)
    with pytest.raises(RegisterBroken, match="no signature of this project"):
        checked(other)


def test_destroyed_secrets_leave_a_chain_that_holds(tmp_path: Path) -> None:
    """Nothing of tag or keys is in the file any more; whoever isn't due keeps theirs; the chain goes on."""
    file = RegisterFile(tmp_path / "register.jsonl")
    file.append([draft(1, days=1), draft(2)], beginning=BEGINNING)
    gone, kept = (one.draft.secrets for one in list(file.entries())[1:])
    assert gone is not None
    assert kept is not None

    def due(entry: RegisterEntry) -> bool:
        return is_due(entry, NOW + timedelta(days=2))

    assert file.destroy_secrets(due) == 1
    assert file.destroy_secrets(due) == 0
    text = file.path.read_text()
    assert not any(part in text for part in (gone.tag, gone.keys, gone.salt))
    assert kept.keys in text
    file.append([draft(3)], beginning=BEGINNING)
    assert words(file) == THREE
    assert (checked(file).done, checked(file).kept) == (3, 2)


def test_writers_at_once_make_one_chain(tmp_path: Path) -> None:
    """One after the other writes, also the first entry of all, and while secrets are destroyed."""
    file = RegisterFile(tmp_path / "register.jsonl")

    def write(number: int) -> None:
        file.append([draft(number), draft(number)], beginning=BEGINNING)
        file.destroy_secrets(lambda entry: entry.draft.request == f"{number:032x}")

    with ThreadPoolExecutor(max_workers=8) as pool:
        list(pool.map(write, range(1, 25)))

    entries = list(file.entries())
    assert [one.seq for one in entries] == list(range(1, 50))
    assert [one.draft.word for one in entries].count(EntryWord.BEGUN) == 1
    assert [one.draft.secrets for one in entries] == [None] * 49


def test_place_that_can_not_be_written_is_told(tmp_path: Path) -> None:
    """A folder in the file's place: an error with the setting's name, and nothing is written."""
    file = RegisterFile(tmp_path)

    with pytest.raises(RegisterUnavailable) as raised:
        file.append([draft()], beginning=BEGINNING)

    assert "ERASURE_REGISTER" in raised.value.hint
    assert obstacle(tmp_path)
    assert not obstacle(tmp_path / "deep" / "register.jsonl")


@pytest.mark.parametrize(
    ("named", "said"),
    [
        ({"DATABASE": "default"}, "the database that the register is to outlive"),
        ({"DATABASE": "documents"}, "no PostgreSQL"),
        ({"DATABASE": "nowhere"}, "neither the path of a file nor a database"),
        ({"ALIAS": "default"}, "neither the path of a file nor a database"),
    ],
)
def test_place_that_is_none_is_an_error_of_check(named: dict[str, str], said: str) -> None:
    """Told by `check`, before an erasure needs it; what is there by default is a place."""
    assert list(register_has_a_place()) == []
    with override_settings(ACCORD={**settings.ACCORD, "ERASURE_REGISTER": named}):
        [found] = register_has_a_place()

    assert found.id == "gdpr.E902"
    assert said in found.msg


# --- what a check before has judged ------------------------------------------------------------


def grown(folder: Path, size: int = 8) -> RegisterFile:
    """Give a register that was checked, with what that check left beside it."""
    file = RegisterFile(folder / "register.jsonl")
    file.append([draft(number) for number in range(1, size + 1)], beginning=BEGINNING)
    checked(file, worth=1)
    assert file.checked.exists()
    return file


@pytest.fixture
def judged(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note which entries a check judges."""
    seen: list[int] = []

    def noted(entry: RegisterEntry, *others: RegisterEntry | None, signed: bool = True) -> str:
        seen.extend([] if signed else [entry.seq])
        return fault(entry, *others, signed=signed)

    monkeypatch.setattr(soundness, "fault", noted)
    return seen


def test_check_judges_what_is_new(tmp_path: Path, judged: list[int]) -> None:
    """What a check before has judged counts, and is not judged again; the sum is the same."""
    file = grown(tmp_path)
    judged.clear()

    again = checked(file, worth=1)
    file.append([draft(9, days=1)], beginning=BEGINNING)
    more = checked(file, worth=1)
    file.checked.unlink()

    assert judged == [10]
    assert (again.done, again.kept) == (8, 8)
    assert more == checked(file)
    assert (more.done, more.due, more.overdue) == (9, 1, 1)


@pytest.mark.parametrize(
    "change", [lose_a_line, swap_lines, other_reference, other_keys, keys_away, no_entry]
)
def test_change_in_what_was_judged_is_found(
    tmp_path: Path, change: Callable[[list[bytes]], list[bytes]]
) -> None:
    """Every byte of it is read again: no check relies on what is there no more."""
    file = grown(tmp_path)
    file.path.write_bytes(b"".join(change(file.path.read_bytes().splitlines(keepends=True))))

    with pytest.raises(RegisterBroken):
        checked(file)


def other_counts(note: str) -> str:
    return note.replace('\\"done\\": 8', '\\"done\\": 9')


def of_another_project(note: str) -> str:
    text, _ = json.loads(note)
    with override_settings(SECRET_KEY="another" * 10):
        return json.dumps([text, signing.sign(text.encode(), purpose=checkpoint.PURPOSE)])


def torn(note: str) -> str:
    return note[: len(note) // 2]


def of_another_kind(note: str) -> str:
    text, _ = json.loads(note)
    return json.dumps([text, signing.sign(text.encode(), purpose="accord.erasure.register/1")])


@pytest.mark.parametrize("forge", [other_counts, of_another_project, torn, of_another_kind])
def test_what_a_check_left_is_ours_or_nothing(
    tmp_path: Path, judged: list[int], forge: Callable[[str], str]
) -> None:
    """Whoever writes beside the register says nothing of it: everything is judged again."""
    file = grown(tmp_path)
    note = file.checked.read_text()
    assert forge(note) != note
    file.checked.write_text(forge(note))
    judged.clear()

    assert checked(file).done == 8
    assert judged == list(range(1, 10))


def test_register_that_was_written_anew_is_judged_anew(tmp_path: Path, judged: list[int]) -> None:
    """Secrets that were destroyed in their time, and entries that were cut off: what is there counts."""
    file = grown(tmp_path)
    file.append([draft(9, days=1)], beginning=BEGINNING)
    checked(file, worth=1)
    file.destroy_secrets(lambda entry: is_due(entry, NOW + timedelta(days=2)))
    judged.clear()

    bare = checked(file, worth=1)
    file.path.write_bytes(b"".join(file.path.read_bytes().splitlines(keepends=True)[:5]))
    short = checked(file, worth=1)

    assert judged == [*range(1, 11), *range(1, 6)]
    assert (bare.done, bare.kept, bare.due) == (9, 8, 0)
    assert (short.done, short.kept) == (4, 4)


def test_random_registers_are_judged_the_same_with_and_without_help(tmp_path: Path) -> None:
    """Grown, bared and checked in any order, a register says the same as when it is read as a whole."""
    dice, file = chance("register"), RegisterFile(tmp_path / "register.jsonl")
    for number in range(1, 40):
        days = dice.choice([1, 2, 100_000])
        file.append([draft(number, days=days)] * dice.randrange(1, 4), beginning=BEGINNING)
        if dice.random() < 0.2:
            file.destroy_secrets(lambda entry: is_due(entry, NOW + timedelta(days=1)))
        helped = checked(file, worth=dice.randrange(1, 10))
        kept = file.checked.read_bytes() if file.checked.exists() else b""
        file.checked.unlink(missing_ok=True)
        assert checked(file) == helped, (seed(), number)
        if kept:
            file.checked.write_bytes(kept)
