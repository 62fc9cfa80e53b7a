"""`python -m tickstock.history`: search stored bars or a CSV for patterns, report what followed them, list what there is."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

import msgspec

from tickstock.analysis.catalog import catalog_as_data
from tickstock.analysis.outcome_report import report_header
from tickstock.analysis.outcome_rows import outcome_rows
from tickstock.analysis.outcome_tally import OutcomeTally
from tickstock.analysis.outcomes import HORIZONS
from tickstock.errors import TickStockError
from tickstock.history import selection
from tickstock.history.errors import HistoryError
from tickstock.history.outcome_table import write_report
from tickstock.history.tables import FORMATS, write_rows
from tickstock.market_hours import new_york_time, now_ms
from tickstock.settings import Settings

EXAMPLES = """examples:
  python -m tickstock.history scan --symbol AAPL --from 2026-11-02 --to 2026-11-20
  python -m tickstock.history scan --symbol AAPL,MSFT --patterns Hammer,Engulfing --timeframe 5min --output found.csv
  python -m tickstock.history scan --csv spy.csv --symbol SPY --format jsonl | head
  python -m tickstock.history outcomes --symbol AAPL,MSFT --from 2026-01-02 --patterns Hammer
  python -m tickstock.history catalog

A CSV has a header line with timestamp, open, high, low, close and volume. timestamp is the start of the bar: Unix
milliseconds, or 2026-11-20T09:30, which is New York time unless an offset follows. Rows that are no bars are refused with their
line numbers.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 when it succeeded, 1 with one line on standard error when it did not."""
    given = _parser().parse_args(arguments)
    try:
        with _output(given.output) as stream:
            given.command(given, stream)
    except TickStockError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    except BrokenPipeError:  # whoever reads has seen enough
        sys.stderr.close()
    except KeyboardInterrupt:
        return 130
    return 0


def scan(arguments: argparse.Namespace, stream: TextIO) -> None:
    """Write every detection."""
    chosen = selection.selection_from(arguments, Settings.load())
    form = _format(arguments)
    when = "time" if form == "table" else "bar_timestamp"
    columns = (when, "symbol", "timeframe", "pattern", "direction", "state", "price", "quality", "details")
    counted = Counter[str]()
    write_rows(stream, _detections(chosen, counted), columns, form)
    _note(chosen.notes)
    _note(
        [
            f"{counted['detections']:,} detections in {counted['bars']:,} bars; {counted['suppressed']:,} more in bars too thin "
            "to mean anything"
        ]
    )


def _detections(chosen: selection.Selection, counted: Counter[str]) -> Iterator[dict[str, Any]]:
    for found in chosen.found():
        counted["bars"] += len(found.series)
        counted["suppressed"] += found.suppressed
        for each in found.detections():
            counted["detections"] += 1
            time = f"{new_york_time(each.bar_timestamp):%Y-%m-%d %H:%M}"
            yield {**each._asdict(), "time": time, "quality": round(each.quality, 4)}


def outcomes(arguments: argparse.Namespace, stream: TextIO) -> None:
    """Write what followed."""
    settings = Settings.load()
    chosen = selection.selection_from(arguments, settings)
    cost = settings.outcome_cost_basis_points if arguments.cost is None else arguments.cost
    tallies = [OutcomeTally(chosen.timeframe, horizon) for horizon in _horizons(arguments.horizons)]
    for found in chosen.found():
        found.add_to(tallies)
    rows = outcome_rows(tallies, cost / 10_000)
    told = f"chosen on {new_york_time(now_ms()):%Y-%m-%d}, after these days"
    header = report_header(rows, tallies, chosen.symbols, told, cost)
    if arguments.json:
        stream.write(msgspec.json.encode({"header": header, "outcomes": [asdict(row) for row in rows]}).decode() + "\n")
    else:
        write_report(stream, header, rows)
    _note(chosen.notes)


def catalog(arguments: argparse.Namespace, stream: TextIO) -> None:
    """Write the catalogue."""
    entries = catalog_as_data()
    if arguments.json:
        stream.write(msgspec.json.encode(entries).decode() + "\n")
    else:
        write_rows(stream, entries, ("name", "kind", "family", "direction", "bars", "parameters", "description"), "table")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tickstock.history",
        description=__doc__,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, command: Any, text: str) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, help=text, description=text, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        made.set_defaults(command=command)
        made.add_argument("--output", type=Path, metavar="FILE", help="write there in place of standard output")
        return made

    scanning = add("scan", scan, "find every pattern in stored bars or a CSV")
    selection.add_arguments(scanning)
    scanning.add_argument("--format", choices=FORMATS, help="default: by the name of --output, else a table")
    reporting = add("outcomes", outcomes, "report what followed the patterns, beside what followed all other bars")
    selection.add_arguments(reporting)
    reporting.add_argument(
        "--horizons", default=",".join(map(str, HORIZONS)), metavar="N[,N…]", help="bar lengths; default: 1,5,15,60"
    )
    reporting.add_argument(
        "--cost", type=float, metavar="BP", help="of buying and selling, in basis points; default: as the settings say"
    )
    reporting.add_argument("--json", action="store_true", help="header and rows as one JSON object")
    listing = add("catalog", catalog, "list every pattern, indicator and alert")
    listing.add_argument("--json", action="store_true", help="as a JSON array")
    return parser


def _horizons(text: str) -> list[int]:
    words = text.replace(",", " ").split()
    if not words or not all(word.isascii() and word.isdigit() and 0 < int(word) <= 10_000 for word in words):
        raise HistoryError(f"--horizons are bar lengths such as 1,5,15,60; got {text!r}")
    return sorted({int(word) for word in words})


def _format(arguments: argparse.Namespace) -> str:
    if arguments.format:
        return str(arguments.format)
    suffix = arguments.output.suffix.lstrip(".") if arguments.output else ""
    return suffix if suffix in FORMATS else "table"


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
    except OSError as problem:
        raise HistoryError(f"--output {path} cannot be written: {problem.strerror}") from None


def _note(lines: Sequence[str]) -> None:
    for line in lines:
        sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
