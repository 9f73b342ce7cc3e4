"""
`manage.py gdpr_erase`, `gdpr_process` or `gdpr_retention`, killed at a given line of the suite's own code.

    python -m tests.acceptance.mortal_erasure LINE COMMAND [ARGUMENTS]

Lines are counted from the moment when the saga takes a request up, or a run of retention begins. LINE 0
lets it live, and writes how many lines it ran to the file named by ACCORD_COUNT_LINES.
"""

from __future__ import annotations

import sys

from tests.acceptance.mortal import Mortality, run

SAGA = {"gdpr/erasure/saga.py": "carry_out", "gdpr/retention/running.py": "let_go"}

if __name__ == "__main__":
    run(Mortality(int(sys.argv[1]), ("accord", "gdpr"), SAGA), sys.argv[2:])
