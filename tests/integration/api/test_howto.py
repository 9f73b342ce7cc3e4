"""The page that says how to use the API, typed as it stands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fix_api import PASSWORD, Served
from tests.fix_project import ROOT

pytestmark = pytest.mark.integration

PAGE = ROOT / "docs" / "howto" / "api.md"


def test_commands_of_the_page_lead_to_a_receipt(
    served: Served, site: str, listener: int, tmp_path: Path
) -> None:
    """Sign in, file, plan, approve by another person; then `gdpr_process`, and the receipt."""
    blocks = re.findall(r"```bash\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    work = "\n".join([*blocks[:3], f'cd {ROOT}; {sys.executable} manage.py gdpr_process; cd "$OLDPWD"'])
    values = {"URL": f"{site}/api/v1", "PASSWORD": PASSWORD, "EMAIL": served.email(listener)}

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", "\n".join([work, *blocks[3:]])],
        cwd=tmp_path,
        env={**served.project.environment, **values},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("completed")
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["schema"] == "accord.receipt/2"
