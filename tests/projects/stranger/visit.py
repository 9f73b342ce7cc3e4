"""
Do what a person does on the site, in one process: commands by name, pages by address.

    python -m tests.projects.stranger.visit check "migrate_all --noinput" /admin/migrator/run/

Pages of the admin are visited by an administrator. Answers with a list of what came of each.
"""

from __future__ import annotations

import io
import json
import shlex
import sys
import traceback
from contextlib import redirect_stderr, redirect_stdout
from typing import Any

import django


def main(acts: list[str]) -> None:
    """Do each, and write what came of it."""
    django.setup()
    found = [_page(act) if act.startswith("/") else _command(act) for act in acts]
    document = {"acts": found, "loaded": sorted(name for name, module in sys.modules.items() if module)}
    sys.stdout.write(json.dumps(document))


def _command(line: str) -> dict[str, Any]:
    from django.core.management import ManagementUtility

    said, code = io.StringIO(), 0
    with redirect_stdout(said), redirect_stderr(said):
        try:
            ManagementUtility(["manage.py", *shlex.split(line)]).execute()
        except SystemExit as exc:
            code = exc.code if isinstance(exc.code, int) else 1
        except BaseException:  # noqa: BLE001 - the test sees whatever it is
            traceback.print_exc(file=said)
            code = 1
    return {"act": line, "code": code, "said": said.getvalue()}


def _page(address: str) -> dict[str, Any]:
    from django.test import Client

    client = Client(raise_request_exception=False)
    if address.startswith("/admin/"):
        client.force_login(_administrator())
    with redirect_stderr(io.StringIO()) as said:
        answer = client.get(address)
    return {"act": address, "code": answer.status_code, "said": answer.content.decode() + said.getvalue()}


def _administrator() -> Any:
    from django.contrib.auth import get_user_model

    users = get_user_model()._default_manager
    return users.filter(username="admin").first() or users.create_superuser("admin", password="a")


if __name__ == "__main__":
    main(sys.argv[1:])
