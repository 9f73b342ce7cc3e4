"""Revision files read as syntax trees."""

from __future__ import annotations

from pathlib import Path

import pytest

from accord.errors import InvalidRevision, RevisionUnreadable
from accord.seam.types import Phase, StepKey
from migrator.alembic import scripts
from migrator.alembic.scripts import Script

DOWN = "\n\ndef downgrade():\n    pass\n"


def read(folder: Path, text: str, name: str = "file.py") -> Script:
    path = folder / name
    path.write_text(text + DOWN)
    return scripts.read(path)


def test_everything_that_can_be_declared_is_read(tmp_path: Path) -> None:
    """Ids, labels, other stores' steps, phase, reason and title come from plain assignments."""
    script = read(
        tmp_path,
        '"""Pay labels.\n\nRevision ID: ae10\n"""\n'
        'revision: str = "ae10"\ndown_revision = ("b1", "c2")\n'
        'depends_on = ["side"]\nbranch_labels = {"pay"}\n'
        'cross_dependencies = [("default", "streaming", "0001_initial")]\nphase = "contract"\n'
        'irreversible = "Money was paid."\n',
    )

    assert script == Script(
        path=tmp_path / "file.py",
        revision="ae10",
        down_revisions=("b1", "c2"),
        depends_on=("side",),
        branch_labels=("pay",),
        cross_dependencies=(StepKey("default", "streaming", "0001_initial"),),
        phase=Phase.CONTRACT,
        irreversible="Money was paid.",
        title="Pay labels.",
    )


@pytest.mark.parametrize("written", ["None", "()", '""', "[]"])
def test_base_has_no_revision_before_it(tmp_path: Path, written: str) -> None:
    """Every way to write a base means the same."""
    assert read(tmp_path, f'revision = "a"\ndown_revision = {written}').down_revisions == ()


@pytest.mark.parametrize(
    "text",
    [
        'BEFORE = "b"\nrevision = "a"\ndown_revision = BEFORE',
        'revision, down_revision = "a", "b"',
        'revision = "".join(["a"])\ndown_revision = "b"',
        'revision = "a"\nif True:\n    down_revision = "b"\nelse:\n    down_revision = None',
        'revision = "x"\ndown_revision = "b"\nrevision = chr(97)',
        'revision = "a"\nfrom string import digits as down_revision\ndown_revision = "b"[:1]',
        'revision = "a"\nfor down_revision in "b": pass',
        'revision = "a"\n(down_revision := "b")',
    ],
)
def test_computed_values_are_found_by_importing_the_file(tmp_path: Path, text: str) -> None:
    """Where a syntax tree can't tell, Python does."""
    script = read(tmp_path, text)

    assert (script.revision, script.down_revisions) == ("a", ("b",))


def test_plain_file_is_not_imported(tmp_path: Path) -> None:
    """A file whose declarations are literals is read without running it."""
    script = read(
        tmp_path, 'import nothing_of_this_name\nrevision = down_revision = "a"\ndown_revision = None'
    )

    assert script.revision == "a"


def test_names_inside_functions_are_their_own(tmp_path: Path) -> None:
    """A local variable called `revision` declares nothing."""
    script = read(tmp_path, 'revision = "a"\ndown_revision = None\ndef upgrade():\n    revision = 1 + 1')

    assert script.revision == "a"


def test_id_may_come_from_the_name_of_an_old_file(tmp_path: Path) -> None:
    """Histories older than Alembic 0.2 have no `revision` in the file."""
    assert read(tmp_path, "down_revision = None", "ae1027a6acf.py").revision == "ae1027a6acf"


def test_declared_encoding_is_followed(tmp_path: Path) -> None:
    """A cookie at the top says how the file is encoded."""
    path = tmp_path / "file.py"
    text = '# coding: latin-1\n"""Größe."""\nrevision = "a"\ndown_revision = None' + DOWN
    path.write_bytes(text.encode("latin-1"))

    assert scripts.read(path).title == "Größe."


@pytest.mark.parametrize(
    ("downgrade", "reason"),
    [
        ("def downgrade():\n    pass", ""),
        ('def downgrade():\n    """Nothing to do."""', ""),
        ("def downgrade():\n    if wrong():\n        raise NotImplementedError", ""),
        ("downgrade = upgrade", ""),
        ("from elsewhere import downgrade", ""),
        ("def downgrade():\n    raise NotImplementedError", "raises NotImplementedError"),
        (
            'def downgrade():\n    """No."""\n    raise NotImplementedError("Money was paid.")',
            "Money was paid.",
        ),
        ("irreversible = True\ndef downgrade():\n    pass", "says that it can't be undone"),
        ("irreversible = False\ndef downgrade():\n    pass", ""),
        ("", "no downgrade"),
    ],
)
def test_reason_against_undoing(tmp_path: Path, downgrade: str, reason: str) -> None:
    """A revision is irreversible when it says so, refuses, or has nothing to run."""
    path = tmp_path / "file.py"
    path.write_text(f'revision = "a"\ndown_revision = None\n{downgrade}\n')

    found = scripts.read(path).irreversible

    assert (reason in found) if reason else not found


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("down_revision = None", "no usable revision id"),
        ('revision = ""\ndown_revision = None', "no usable revision id"),
        ('revision = "a@b"\ndown_revision = None', "no usable revision id"),
        ('revision = "a"', "no down_revision"),
        ('revision = "a"\ndown_revision = 7', "down_revision holds 7"),
        ('revision = "a"\ndown_revision = None\nphase = "later"', "'later'"),
        ('revision = "a"\ndown_revision = None\nirreversible = 7', "irreversible holds 7"),
        ('revision = "a"\ndown_revision = None\ncross_dependencies = [("x", "y")]', "cross_dependencies"),
    ],
)
def test_declaration_that_does_not_fit_is_named_with_its_file(tmp_path: Path, text: str, words: str) -> None:
    """The message holds the file and the thing that is wrong."""
    with pytest.raises(InvalidRevision, match=words) as caught:
        read(tmp_path, text)

    assert "file.py" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("text", ["def (", 'revision = "\0"', "revision = nobody()"])
def test_unreadable_file_is_named(tmp_path: Path, text: str) -> None:
    """Syntax errors and failing imports name the file."""
    with pytest.raises(RevisionUnreadable, match=r"file\.py"):
        read(tmp_path, text)
