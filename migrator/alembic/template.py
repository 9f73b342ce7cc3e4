"""
The template of a history, for `alembic init` and `alembic revision`.

    alembic init -t "$(python -m migrator.alembic.template)" royalties
"""

from __future__ import annotations

import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "templates" / "accord"
"""Its files: `env.py`, `script.py.mako` and what `alembic.ini` is made of."""


if __name__ == "__main__":
    sys.stdout.write(f"{FOLDER}\n")
