"""Starts TickStock: python start_all_services.py (--help tells more). Sets everything up on the first run."""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file must be readable by old Pythons, to say so
    sys.exit(
        "TickStock needs Python 3.11 or later; this is " + sys.version.split()[0] + ". Try: python3.11 start_all_services.py"
    )

from launcher.startup import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
