"""Every parser of TickStock."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.fuzz.feed import FeedStatuses, Frames, RestBodies
from tests.fuzz.files import CsvBars, DotEnv, FlatFile, FlatFileHeader, Spill
from tests.fuzz.redis_messages import Results, Statuses, Taken, TickLogEntries, Ticks
from tests.fuzz.run import Parser
from tests.fuzz.watchlists import Arrivals, WatchlistBodies
from tests.fuzz.web import QueryStrings, SocketMessages
from tickstock import contract

# By the name that the command line knows; each is made with a folder for its files.
PARSERS: dict[str, Callable[[Path], Parser]] = {
    "frames-t": lambda folder: Frames("T"),
    "frames-a": lambda folder: Frames("A"),
    "frames-am": lambda folder: Frames("AM"),
    "feed-statuses": lambda folder: FeedStatuses(),
    "rest-bars": lambda folder: RestBodies("bars"),
    "rest-splits": lambda folder: RestBodies("splits"),
    "rest-snapshots": lambda folder: RestBodies("snapshots"),
    "rest-tickers": lambda folder: RestBodies("tickers"),
    "ticks": lambda folder: Ticks(),
    "statuses": lambda folder: Statuses(),
    "taken": lambda folder: Taken(),
    "tick-log": lambda folder: TickLogEntries(),
    "patterns": lambda folder: Results(contract.PATTERNS_CHANNEL, folder),
    "indicators": lambda folder: Results(contract.INDICATORS_CHANNEL, folder),
    "alerts": lambda folder: Results(contract.ALERTS_CHANNEL, folder),
    "health": lambda folder: Results(contract.HEALTH_CHANNEL, folder),
    "results-log": lambda folder: Results(contract.RESULTS_LOG_KEY, folder),
    "flat-files": lambda folder: FlatFile(),
    "flat-file-headers": lambda folder: FlatFileHeader(),
    "csv": lambda folder: CsvBars(),
    "dotenv": lambda folder: DotEnv(),
    "spill": Spill,
    "queries": QueryStrings,
    "socketio": SocketMessages,
    "watchlists": WatchlistBodies,
    "arrivals": Arrivals,
}
