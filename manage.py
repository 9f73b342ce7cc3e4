#!/usr/bin/env python3
"""Django's command line for the ready-made project, with its embedded stores started on demand."""

from __future__ import annotations

import os
import sys


def main() -> int:
    """
    Run one command.

    Returns:
        The exit code; commands that fail leave by `SystemExit` with their own.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "core.settings")
    try:
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.stderr.write(
            "Django isn't installed in this Python. Run ./run demo once, then use .venv/bin/python.\n"
        )
        return 2
    from core.on_demand import start_stores

    code = start_stores(sys.argv[1:])
    if code == 0:
        execute_from_command_line(sys.argv)
    return code


if __name__ == "__main__":
    sys.exit(main())
