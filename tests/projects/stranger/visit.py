"""
Do what a person does on the site, in one process: commands by name, pages by address.

    python -m tests.projects.stranger.visit check "migrate_all --noinput" /admin/migrator/run/

Pages of the admin are visited by an administrator. Answers with a list of what came of each.
"""

from __future__ import annotations

import io
import json
import re
import shlex
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import django


def main(acts: list[str]) -> None:
    """Do each, and write what came of it."""
    django.setup()
    found: list[dict[str, Any]] = []
    for act in acts:
        named = _named(act, found)
        found.append(_page(named) if named.startswith("/") else _command(named))
    document = {
        "acts": found,
        # What is kept from being loaded stands there as None, which the types don't know.
        "loaded": sorted(name for name, module in dict[str, Any](sys.modules).items() if module),
    }
    sys.stdout.write(json.dumps(document))


def _named(act: str, found: list[dict[str, Any]]) -> str:
    """Put the reference that was said last in the place of REFERENCE."""
    said = " ".join(each["said"] for each in found)
    known = re.findall(r"\b[0-9a-f]{8}(?:-[0-9a-f-]{27}|[0-9a-f]{24})?\b", said)
    return act.replace("REFERENCE", known[-1]) if known else act


def _command(line: str) -> dict[str, Any]:
    from django.core.management import ManagementUtility

    def act() -> int:
        ManagementUtility(["manage.py", *shlex.split(line)]).execute()
        return 0

    return _watched(line, act)


def _watched(act: str, do: Callable[[], int]) -> dict[str, Any]:
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        try:
            code = do()
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else 1
        except BaseException:  # noqa: BLE001 - the test sees whatever it is
            traceback.print_exc(file=said)
            code = 1
    return {"act": act, "code": code, "said": said.getvalue()}


def _page(address: str) -> dict[str, Any]:
    from django.test import Client

    client = Client(raise_request_exception=False)

    def act() -> int:
        if address.startswith(("/admin/", "/api/", "/backoffice/")):
            client.force_login(_administrator())
        answer = client.get(address)
        sys.stdout.write(answer.content.decode())
        return answer.status_code

    return _watched(address, act)


def _administrator() -> Any:
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    return users.filter(username="admin").first() or users.create_superuser("admin", password="a")


if __name__ == "__main__":
    main(sys.argv[1:])
