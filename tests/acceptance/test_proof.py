"""In production whoever decides proves who they are, signed in to the machine or not; no program decides."""

from __future__ import annotations

import json
import os
import pty
import select
import sys
import time
from pathlib import Path

import pytest

from accord.acting import signed_in
from tests.fix_project import ROOT
from tests.fix_requests import PASSWORD, Erasing

pytestmark = pytest.mark.acceptance

# The operator of these tests may decide here, and has a password.
DECIDING = f"""
from django.contrib.auth.models import Permission
from accord.acting import signed_in
operator = get_user_model().objects.get(username=signed_in())
operator.set_password("{PASSWORD}")
operator.save()
operator.user_permissions.set(Permission.objects.filter(content_type__app_label="gdpr"))
"""
# The environment asks for proof.
STRICT = """
import os, sys
import django; django.setup()
from django.conf import settings
from django.core.management import execute_from_command_line
here = [settings.ACCORD["ENVIRONMENT"]]
proof = dict(environments=here, password_variable=here if {variable} else [])
settings.ACCORD["POLICY"] = dict(settings.ACCORD.get("POLICY", ()), proof=proof)
os.environ.update({env})
execute_from_command_line(["manage.py", *{arguments}])
"""


def strict(erasing: Erasing, *arguments: str, variable: bool = False, **env: str) -> tuple[int, str]:
    """Run a command where proof is asked for; give its exit code and what it said."""
    code = STRICT.format(variable=variable, env=env, arguments=list(arguments))
    done = erasing.project.run("-c", code, program=())
    return done.returncode, done.stdout + done.stderr


def at_a_terminal(erasing: Erasing, *arguments: str, typed: str) -> tuple[int, str]:
    """Run a command at a terminal of its own, where somebody answers the first question."""
    code = STRICT.format(variable=False, env={}, arguments=list(arguments))
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(ROOT)
        os.execve(sys.executable, [sys.executable, "-c", code], erasing.project.environment)  # noqa: S606
    said, answered, deadline = "", False, time.monotonic() + 120
    while time.monotonic() < deadline:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            said += os.read(terminal, 4096).decode(errors="replace")
        except OSError:
            break
        if "Password of" in said and not answered:
            answered = True
            os.write(terminal, f"{typed}\n".encode())
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), said


def token(erasing: Erasing, folder: Path, *more: str, account: str = "approver") -> Path:
    """Make a token of an account, in a file."""
    file = folder / f"token-{len(list(folder.iterdir()))}"
    done = erasing.command(
        "accord_token", "create", *more, "--output", str(file), "--as", account, "--noinput"
    )
    assert done.returncode == 0, done.stderr
    return file


def test_who_is_signed_in_proves_it_before_a_decision(erasing: Erasing) -> None:
    """Neither the user id nor a variable is enough; the environment may let the variable count."""
    reference = erasing.call(f"{DECIDING}\nsay(planned(3).reference)")
    approve = ("gdpr_erase", "--request", reference, "--approve", "--noinput")

    signed = strict(erasing, *approve)
    variable = strict(erasing, *approve, ACCORD_PASSWORD=PASSWORD)
    another = strict(erasing, *approve, "--as", "approver", ACCORD_PASSWORD=PASSWORD)
    held = strict(erasing, "gdpr_hold", "place", "4", "--by", "id", "--reason", "17(3)(e)")
    looked = strict(erasing, "gdpr_erase", "--request", reference, "--noinput")
    before = erasing.state(reference)
    allowed = strict(erasing, *approve, variable=True, ACCORD_PASSWORD=PASSWORD)

    assert [code for code, _ in (signed, variable, another, held, looked)] == [4, 4, 4, 4, 5], signed[1]
    assert "ACC-824" in signed[1]
    assert "ACCORD_PASSWORD" not in signed[1]
    assert before == "planned"
    assert erasing.rows("SELECT count(*) FROM gdpr_legalhold") == [(0,)]
    assert allowed[0] == 0, allowed[1]
    assert erasing.state(reference) == "approved"


def test_password_is_asked_for_at_the_terminal(erasing: Erasing) -> None:
    """Typed by whoever is signed in; a wrong one decides nothing."""
    reference = erasing.call(f"{DECIDING}\nsay(planned(3).reference)")
    reject = ("gdpr_erase", "--request", reference, "--reject", "17(3)(e)")

    wrong = at_a_terminal(erasing, *reject, typed="a guess")
    between = erasing.state(reference)
    right = at_a_terminal(erasing, *reject, typed=PASSWORD)

    assert (wrong[0], between) == (4, "planned"), wrong[1]
    assert f"Password of {signed_in()}" in right[1]
    assert PASSWORD not in right[1]
    assert (right[0], erasing.state(reference)) == (0, "rejected"), right[1]


def test_token_in_a_file_proves_its_account(erasing: Erasing, tmp_path: Path) -> None:
    """A person's own decides; it counts for its account only, and while the file is its owner's alone."""
    first, second = erasing.call("say([planned(key).reference for key in (3, 4)])")
    file = token(erasing, tmp_path)

    def approve(reference: str, *more: str) -> tuple[int, str]:
        asked = ("gdpr_erase", "--request", reference, "--approve", "--noinput")
        return strict(erasing, *asked, "--token-file", str(file), *more)

    foreign = approve(first, "--as", "filer")
    done = approve(first)
    file.chmod(0o640)
    readable = approve(second)
    file.chmod(0o600)
    erasing.execute("DELETE FROM accord_accesstoken")
    ended = approve(second)
    missing = strict(
        erasing, *("gdpr_erase", "--request", second, "--approve", "--noinput"), "--token-file", "/nowhere"
    )

    assert [code for code, _ in (foreign, done, readable, ended, missing)] == [4, 0, 2, 4, 2], done[1]
    assert "chmod 600" in readable[1]
    assert [erasing.state(one) for one in (first, second)] == ["approved", "planned"]


def test_program_files_and_carries_out_and_decides_nothing(erasing: Erasing, tmp_path: Path) -> None:
    """Everywhere, whatever the environment asks for: its token is none of a person."""
    first, second = erasing.call("say([approved(3).reference, planned(4).reference])")
    robot = ("--token-file", str(token(erasing, tmp_path, "--service")))

    filed = erasing.erase("5", "--by", "id", *robot, "--format", "json", ACCORD_PASSWORD="")
    done = erasing.erase("--request", first, *robot, ACCORD_PASSWORD="")
    cron = erasing.command("gdpr_process", *robot, ACCORD_PASSWORD="")
    refused = [
        erasing.erase("--request", second, *decision, *robot, ACCORD_PASSWORD="")
        for decision in (("--approve",), ("--reject", "17(3)(e)"), ("--confirm", "x"))
    ]
    refused.append(erasing.command("gdpr_hold", "place", "6", "--by", "id", "--reason", "17(3)(e)", *robot))
    refused.append(erasing.command("accord_token", "create", *robot, "--noinput"))

    assert (filed.returncode, done.returncode, cron.returncode) == (5, 0, 0), filed.stderr + done.stderr
    assert json.loads(filed.stdout)["state"] == "planned"
    assert [one.returncode for one in refused] == [4] * 5, [one.stderr for one in refused]
    assert all("of a program alone" in one.stderr for one in refused)
    assert erasing.state(second) == "planned"
    denied = erasing.rows("SELECT DISTINCT object_kind FROM accord_auditevent WHERE event = 'access.denied'")
    assert denied == [("token",)]
