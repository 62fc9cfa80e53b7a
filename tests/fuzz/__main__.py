"""python -m tests.fuzz [--parser NAME] [--inputs 1000000] [--seed N]: a thorough run over every parser, one line each."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.fuzz.found import FOUND
from tests.fuzz.parsers import PARSERS
from tests.fuzz.run import Escaped, run


def main() -> int:
    """Run; 1 when a property does not hold."""
    options = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    options.add_argument("--parser", choices=PARSERS, action="append", help="only this one; may be given several times")
    options.add_argument("--inputs", type=int, default=1_000_000, help="generated inputs for each parser")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    failed = 0
    for name in chosen.parser or PARSERS:
        with tempfile.TemporaryDirectory(prefix="tickstock-fuzz-") as folder:
            try:
                print(run(PARSERS[name](Path(folder)), chosen.inputs, chosen.seed, FOUND.get(name, ())), flush=True)
            except Escaped as problem:
                failed += 1
                print(f"{name}: FAILED after seed {chosen.seed}: {problem}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
