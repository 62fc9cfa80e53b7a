"""Runs the checks and tests: python run_tests.py [pytest arguments]. Sets everything up on the first run.

Without arguments: ruff, its formatter, mypy and pytest, all of them; the exit code is that of the first that failed.
With arguments: pytest alone, with these.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file must be readable by old Pythons, to say so
    sys.exit(
        "TickStock needs Python 3.11 or later; this is " + sys.version.split()[0] + ". See https://www.python.org/downloads/"
    )

from launcher.checks import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
