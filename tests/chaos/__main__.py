"""A day in which everything fails, and what is left of the difference: `python -m tests.chaos --seed N --minutes M`.

The same part of a virtual day goes through the real system twice: undisturbed at full speed, then in M minutes while a seeded
schedule of faults kills, pauses and confuses every part of it. What is stored must be equal.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.chaos.run import Outcome, run_seed, shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns the exit code: 1 when anything was lost, doubled or unequal."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__.splitlines()[0])
    parser.add_argument("--seed", type=int, default=1, help="which day and which faults")
    parser.add_argument("--minutes", type=float, default=2.0, help="length of the disturbed run")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--keep", action="store_true", help="leave databases and logs in their folder")
    parser.add_argument("--verbose", action="store_true", help="print the schedule as it happens")
    chosen = parser.parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="tickstock_chaos_"))
    say = (lambda line: print(line, flush=True)) if chosen.verbose else (lambda line: None)
    outcome = run_seed(chosen.seed, chosen.minutes, chosen.database, folder, say)
    if outcome.is_good and not chosen.keep:
        shutil.rmtree(folder, ignore_errors=True)
    elif not outcome.is_good:
        print(f"databases and logs: {folder}")
    report(outcome)
    return 0 if outcome.is_good else 1


def report(outcome: Outcome) -> None:
    """Print an outcome; the last line is the verdict."""
    for line in shown(outcome):
        print(line)
    for name, count in sorted(Counter(each.partition(":")[0] for each in outcome.faults).items()):
        print(f"{count:4d} × {name}")
    print(f"compared: {', '.join(f'{count} {name}' for name, count in outcome.compared.items())}")
    if outcome.left_out:
        print(f"late prints in a gap, compared in bars only: {' '.join(outcome.left_out)}")
    print(f"faults injected {len(outcome.faults)}")
    print(f"ticks in {outcome.ticks_in}, lost {outcome.ticks_lost} ({outcome.not_stored} not in the table of ticks)")
    print(f"results missing {outcome.missing}, results doubled {outcome.doubled}")
    if outcome.recoveries:
        seconds, step = max(outcome.recoveries)
        print(f"longest recovery {seconds:.1f} s, after: {step}")
    print(f"chaos: {len(outcome.faults)} faults, {outcome.lost} lost, {outcome.doubled} doubled, "
          f"longest recovery {outcome.longest_recovery:.1f} s")  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
