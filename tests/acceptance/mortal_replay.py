"""
`manage.py gdpr_replay`, killed at a line of the suite's own code from where a function of it is first called.

    python -m tests.acceptance.mortal_replay FILE FUNCTION LINE COMMAND [ARGUMENTS]
"""

from __future__ import annotations

import sys

from tests.acceptance.mortal import Mortality, run

if __name__ == "__main__":
    file, function, line, *command = sys.argv[1:]
    run(Mortality(int(line), ("accord", "gdpr"), {file: function}), command)
