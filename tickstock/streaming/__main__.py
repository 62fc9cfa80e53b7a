"""`python -m tickstock.streaming`: TickStockPL Streaming as a process of its own."""

from __future__ import annotations

import signal
import sys

from tickstock import lifeline, logs
from tickstock.errors import TickStockError
from tickstock.settings import Settings
from tickstock.streaming.scheduler import TickStockPL


def main() -> int:
    """Run until SIGTERM or SIGINT; exit code 0 after an orderly stop, 2 when a setting is wrong."""
    try:
        settings = Settings.load()
        logs.configure(settings.log_level)
        pl = TickStockPL(settings)
    except TickStockError as problem:
        print(f"TickStockPL cannot start: {problem}", file=sys.stderr)  # noqa: T201 - there is no log yet
        return 2
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _frame: pl.stop(signal.Signals(signum).name))
    lifeline.watch()
    pl.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
