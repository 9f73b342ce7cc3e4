"""Who acts on the command line: the account of the system's user, or one whose password is given."""

from __future__ import annotations

import pytest

from tests.fix_requests import Erasing

pytestmark = pytest.mark.acceptance


def test_variable_of_the_shell_makes_nobody_another_person(erasing: Erasing) -> None:
    """LOGNAME names the second person; the command looks at the user id, and knows no such account."""
    reference = erasing.reference("planned(2)")

    done = erasing.command(
        *("gdpr_erase", "--request", reference, "--approve", "--noinput"),
        ACCORD_PASSWORD="",
        LOGNAME="approver",
        USER="approver",
        LNAME="approver",
        USERNAME="approver",
    )

    assert done.returncode == 2, done.stdout + done.stderr
    assert "There is no account" in done.stderr
    assert erasing.state(reference) == "planned"


@pytest.mark.parametrize("command", ["gdpr_erase", "gdpr_hold", "migration_approval"])
def test_another_account_takes_its_password_in_every_command(erasing: Erasing, command: str) -> None:
    """A wrong password is refused by the same rule, with the same code, wherever --as is understood."""
    calls = {
        "gdpr_erase": ("gdpr_erase", "2", "--noinput", "--as", "filer"),
        "gdpr_hold": ("gdpr_hold", "place", "2", "--reason", "authority", "--as", "filer"),
        "migration_approval": ("migration_approval", "request", "--as", "filer", "--reason", "release"),
    }

    done = erasing.command(*calls[command], ACCORD_PASSWORD="a guess")

    assert done.returncode == 4, done.stdout + done.stderr
    assert "ACC-824" in done.stderr
    assert erasing.rows("SELECT count(*) FROM gdpr_erasurerequest") == [(0,)]
    assert erasing.rows("SELECT count(*) FROM gdpr_legalhold") == [(0,)]
