"""When each event of a tape is sent: pure, with the time as an argument.

T, Q and LULD are sent at once, A two seconds after its second, AM two seconds after its minute. About one window in a hundred
first misses a trade that was reported late, and is sent again with it: an A window within half a minute, an AM window after ten
seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from tickstock.market_hours import MINUTE_MS
from tickstock.simulator.aggregation import all_windows
from tickstock.simulator.conditions import VOLUME, ConditionSets
from tickstock.simulator.encoding import Aggregates, SymbolTexts, aggregate_texts, quote_texts, trade_texts
from tickstock.simulator.halts import HaltEvents, halt_texts
from tickstock.simulator.randomness import derive, uniform, uniforms
from tickstock.simulator.tape import Tape, Totals
from tickstock.simulator.trades import SHARE, Bars, Floats, Integers, Trades

AGGREGATE_DELAY_MS = 2000
LATE_SHARE = 0.01
_LATE_UNTIL_MS = 34_000  # of the minute: what is reported late is known before the minute ends
_AM_LATE_MS = 10_000
TAIL_MS = AGGREGATE_DELAY_MS + _AM_LATE_MS + 1  # after a minute's end, its last event has been sent
Lane = Trades | Aggregates | HaltEvents  # what is sent of one channel
CHANNELS = ("LULD", "AM", "A", "Q", "T")


@dataclass(frozen=True)
class Events:
    """Encoded events in the order in which they are sent, with what is needed to choose among them."""

    channel: str
    symbols: list[int]
    texts: list[str]


class _Minute:
    """One minute of the tape: its trades, and their lanes of events, built when somebody asks for them."""

    def __init__(
        self, start: int, trades: Trades, halts: HaltEvents, before: Totals, conditions: ConditionSets, repeats: bool
    ) -> None:
        self.start = start
        self.trades = trades
        self.halts = halts
        self.before = before
        self._conditions = conditions
        self._repeats = repeats
        self._lanes: dict[str, tuple[Integers, Lane]] = {}

    @cached_property
    def _bars(self) -> Bars:
        """The whole minute of each symbol that traded in it."""
        return all_windows(self.trades, np.full(len(self.trades), self.start), self._conditions)

    @cached_property
    def after(self) -> Totals:
        """The day's totals at the minute's end."""
        trades, before = self.trades, self.before
        symbols = len(before.volume)
        counts = self._conditions.effects(trades.kind, trades.extended_hours) & VOLUME != 0
        size = np.where(counts, trades.size, 0).astype(np.float64)  # sums stay far below 2**53, so they are exact
        volume = before.volume + np.bincount(trades.symbol, size, symbols).astype(np.int64)
        dollars = before.dollars + np.bincount(trades.symbol, size / SHARE * trades.price, symbols)
        opening = before.official_open
        if len(trades) and not trades.extended_hours[0] and np.isnan(opening).any():
            opening, bars = opening.copy(), self._bars
            opening[bars.symbol] = np.where(np.isnan(opening[bars.symbol]), bars.open, opening[bars.symbol])
        return Totals(volume, dollars, opening)

    def lane(self, channel: str) -> tuple[Integers, Lane]:
        """The times at which the channel's events are sent, in order, and the events."""
        if channel not in self._lanes:
            makers: dict[str, Callable[[], tuple[Integers, Lane]]] = {
                "LULD": lambda: (self.halts.time, self.halts),
                "T": self._trade_lane,
                "Q": self._quote_lane,
                "A": self._second_lane,
                "AM": self._minute_lane,
            }
            self._lanes[channel] = makers[channel]()
        return self._lanes[channel]

    def _trade_lane(self) -> tuple[Integers, Lane]:
        return self.trades.time, self.trades

    def _quote_lane(self) -> tuple[Integers, Lane]:
        sent = np.maximum(self.trades.participant_time, self.start)
        order = np.argsort(sent, kind="stable")
        return sent[order], self.trades.take(order)

    def _second_lane(self) -> tuple[Integers, Lane]:
        trades, seconds = self.trades, self.trades.time // 1000 * 1000
        late = self._late(seconds) & (seconds - self.start < _LATE_UNTIL_MS)
        windows = self._windows(trades.take(~late), seconds[~late], 1000)
        if late.any():
            windows = self._with_late(windows, trades.take(late), all_windows(trades, seconds, self._conditions))
        return self._in_order(windows)

    def _minute_lane(self) -> tuple[Integers, Lane]:
        trades = self.trades
        starts = np.full(len(trades), self.start)
        late = self._late(starts)
        windows = self._windows(trades.take(~late), starts[~late], MINUTE_MS)
        if late.any():
            affected = np.isin(self._bars.symbol, trades.symbol[late]) & ~np.isnan(self._bars.open)
            bars = self._bars.take(affected)
            again = Aggregates(
                bars.start + MINUTE_MS + AGGREGATE_DELAY_MS + _AM_LATE_MS, bars, self.after.volume[bars.symbol],
                self.after.dollars[bars.symbol], self.after.official_open[bars.symbol],
            )  # fmt: skip
            windows = _joined(windows, again)
        return self._in_order(windows)

    def _windows(self, trades: Trades, starts: Integers, length: int) -> Aggregates:
        """Every window, sent two seconds after its end, with the day's totals up to that end."""
        every = all_windows(trades, starts, self._conditions)
        new_symbol = np.concatenate(([True], np.diff(every.symbol) != 0))[: len(every)]
        day_volume = _running(every.volume, new_symbol) + self.before.volume[every.symbol]
        day_dollars = _running(every.dollars, new_symbol) + self.before.dollars[every.symbol]
        opening = self.after.official_open[every.symbol]
        return Aggregates(every.start + length + AGGREGATE_DELAY_MS, every, day_volume, day_dollars, opening)

    def _late(self, starts: Integers) -> NDArray[np.bool_]:
        """One trade of about one window in a hundred: the last that counts for volume, where the window has others."""
        trades = self.trades
        if not self._repeats or not len(trades):
            return np.zeros(len(trades), bool)
        order = np.lexsort((starts, trades.symbol))
        symbol, start = trades.symbol[order], starts[order]
        last = np.concatenate(((symbol[1:] != symbol[:-1]) | (start[1:] != start[:-1]), [True]))
        alone = last & np.concatenate(([True], last[:-1]))
        chance = uniform(derive(derive(symbol.astype(np.uint64), 17), start))
        counts = self._conditions.effects(trades.kind[order], trades.extended_hours[order]) & VOLUME != 0
        late = np.zeros(len(trades), bool)
        late[order[last & ~alone & counts & (chance < 1.5 * LATE_SHARE)]] = True
        return late

    def _with_late(self, on_time: Aggregates, late: Trades, whole: Bars) -> Aggregates:
        """The windows once more when their late trade is known; until then the day's totals lack it."""
        seconds = late.time // 1000 * 1000
        (delay,) = uniforms(derive(late.sequence.astype(np.uint64), 19), 1)
        known = seconds + 1000 + AGGREGATE_DELAY_MS + np.floor(4 + 16 * delay).astype(np.int64) * 1000
        first_sent = np.searchsorted(_window_keys(on_time.bars.symbol, on_time.bars.start), _window_keys(late.symbol, seconds))
        corrected = whole.take(np.searchsorted(_window_keys(whole.symbol, whole.start), _window_keys(late.symbol, seconds)))
        before = on_time.take(first_sent)
        again = Aggregates(known, corrected, before.day_volume, before.day_dollars, before.official_open)
        windows = _joined(on_time, again)
        by_symbol = np.argsort(windows.bars.symbol, kind="stable")
        symbols = windows.bars.symbol[by_symbol]
        for each, symbol in enumerate(late.symbol):
            rows = by_symbol[np.searchsorted(symbols, symbol, "left") : np.searchsorted(symbols, symbol, "right")]
            rows = rows[(windows.bars.start[rows] >= seconds[each]) & (windows.sent[rows] >= known[each])]
            windows.day_volume[rows] += late.size[each]
            windows.day_dollars[rows] += late.size[each] / SHARE * late.price[each]
        return windows

    @staticmethod
    def _in_order(windows: Aggregates) -> tuple[Integers, Aggregates]:
        """Those with a price, in the order in which they are sent."""
        order = np.lexsort((windows.bars.start, windows.sent))
        ordered = windows.take(order[~np.isnan(windows.bars.open[order])])
        return ordered.sent, ordered


def _window_keys(symbols: NDArray[np.int32], starts: Integers) -> Integers:
    return symbols.astype(np.int64) << 44 | starts


_Numbers = TypeVar("_Numbers", Integers, Floats)


def _running(values: _Numbers, first: NDArray[np.bool_]) -> _Numbers:
    """The running total within each group; `first` marks where a group begins."""
    total = np.cumsum(values)
    if not len(total):
        return total
    starts = np.flatnonzero(first)
    before = (total - values)[starts]
    result: _Numbers = total - np.repeat(before, np.diff(np.append(starts, len(total))))
    return result


def _joined(one: Aggregates, other: Aggregates) -> Aggregates:
    return Aggregates(
        np.concatenate((one.sent, other.sent)), Bars.join([one.bars, other.bars]),
        np.concatenate((one.day_volume, other.day_volume)),
        np.concatenate((one.day_dollars, other.day_dollars)), np.concatenate((one.official_open, other.official_open)),
    )  # fmt: skip


class Timeline:
    """The events of a tape, in the order of the moments at which they are sent."""

    def __init__(self, tape: Tape, start: int, *, repeats: bool = True) -> None:
        self.tape = tape
        self.position = start  # everything sent before this moment is done
        self._texts = SymbolTexts(tape.symbols)
        self._repeats = repeats
        self._minutes: list[_Minute] = []
        self._ready: _Minute | None = None
        self._next = tape.next_minute((start - TAIL_MS) // MINUTE_MS * MINUTE_MS)

    def load(self, until: int) -> None:
        """Have every minute that begins before a moment."""
        while self.lacks(until):
            ready = self._ready if self._ready is not None and self._ready.start == self._next else self._make()
            self._ready = None
            self._minutes.append(ready)
            self._next = self.tape.next_minute(ready.start + MINUTE_MS)

    def lacks(self, until: int) -> bool:
        """Whether a minute that begins before a moment is still to be made."""
        return self._next is not None and self._next < until

    def prepare(self, channels: Sequence[str]) -> None:
        """Make the next minute, and its events of some channels, beforehand; may run in a thread of its own."""
        if self._next is not None and self._ready is None:
            minute = self._make()
            for channel in channels:
                minute.lane(channel)
            self._ready = minute

    def _make(self) -> _Minute:
        assert self._next is not None
        start, last = self._next, self._minutes[-1] if self._minutes else None
        if last is None:
            before = self.tape.totals_before(start)
        elif self.tape.day_of(start) != self.tape.day_of(last.start):
            before = Totals.none(len(self.tape.symbols))
        else:
            before = last.after
        return _Minute(start, self.tape.minute(start), self.tape.halts(start), before, self.tape.conditions, self._repeats)

    @property
    def is_over(self) -> bool:
        """Whether the last event of the tape has been given out."""
        return self._next is None and all(each.start + MINUTE_MS + TAIL_MS <= self.position for each in self._minutes)

    def next_step(self, longest: int) -> int:
        """A moment at most `longest` milliseconds ahead, or beyond a quiet stretch, to advance to next."""
        quiet = not any(each.start + MINUTE_MS + TAIL_MS > self.position for each in self._minutes)
        if quiet and self._next is not None and self._next > self.position:
            return self._next
        return self.position + longest

    def advance(self, to: int, wanted: Mapping[str, NDArray[np.bool_]]) -> list[Events]:
        """The events sent from `position` up to (not including) `to`, of each channel those of the wanted symbols."""
        self.load(to)
        found = []
        for minute in self._minutes:
            for channel in CHANNELS:
                if channel in wanted and (events := self._events(minute, channel, to, wanted[channel])) is not None:
                    found.append(events)
        self.position = max(self.position, to)
        keep = [each for each in self._minutes if each.start + MINUTE_MS + TAIL_MS > self.position]
        self._minutes = keep or self._minutes[-1:]
        return found

    def _events(self, minute: _Minute, channel: str, to: int, wanted: NDArray[np.bool_]) -> Events | None:
        if minute.start + MINUTE_MS + TAIL_MS <= self.position or minute.start >= to:
            return None
        sent, columns = minute.lane(channel)
        first, last = np.searchsorted(sent, (self.position, to))
        if first == last:
            return None
        rows = np.arange(first, last)[wanted[columns.symbol[first:last]]]
        if not len(rows):
            return None
        chosen = columns.take(rows)
        return Events(channel, columns.symbol[rows].tolist(), self._encode(channel, chosen))

    def _encode(self, channel: str, columns: Lane) -> list[str]:
        if isinstance(columns, HaltEvents):
            return halt_texts(columns, self._texts)
        if isinstance(columns, Trades):
            if channel == "T":
                return trade_texts(columns, self._texts, self.tape.conditions)
            return quote_texts(columns, self._texts)
        return aggregate_texts(columns, channel, 1000 if channel == "A" else MINUTE_MS, self._texts)
