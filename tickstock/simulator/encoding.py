"""Events as the JSON text that the vendor sends. Texts are built directly: a general encoder would cost several times as much."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np

from tickstock.simulator.conditions import ConditionSets
from tickstock.simulator.trades import SHARE, Bars, Columns, Floats, Integers, Trades, volume_weighted


def status(name: str, message: str) -> str:
    """A status event."""
    return f'{{"ev":"status","status":{quoted(name)},"message":{quoted(message)}}}'


def quoted(text: str) -> str:
    """A JSON string."""
    return msgspec.json.encode(text).decode()


class SymbolTexts:
    """The start of each symbol's events, ready to use."""

    def __init__(self, symbols: list[str]) -> None:
        self.names = [quoted(each) for each in symbols]
        self._starts: dict[str, list[str]] = {}

    def starting(self, event: str) -> list[str]:
        """`{"ev":"T","sym":"AAPL"` for each symbol."""
        if event not in self._starts:
            self._starts[event] = [f'{{"ev":"{event}","sym":{name}' for name in self.names]
        return self._starts[event]


def trade_texts(trades: Trades, symbols: SymbolTexts, conditions: ConditionSets) -> list[str]:
    """One T event per trade."""
    starts, codes = symbols.starting("T"), conditions.json
    return [
        f'{starts[symbol]},"x":{exchange},"i":"{identity}","z":{tape},"p":{price},"s":{whole}{codes[kind]},"t":{at},"pt":{before},'
        f'"q":{sequence},"trfi":{trf},"trft":{trf_at},"ds":"{size}"}}'
        if trf
        else f'{starts[symbol]},"x":{exchange},"i":"{identity}","z":{tape},"p":{price},"s":{whole}{codes[kind]},"t":{at},'
        f'"pt":{before},"q":{sequence},"ds":"{size}"}}'
        for symbol, exchange, identity, tape, price, whole, kind, at, before, sequence, trf, trf_at, size in zip(
            trades.symbol.tolist(), trades.exchange.tolist(), trades.identity.tolist(), trades.tape.tolist(),
            trades.price.tolist(),
            (trades.size // SHARE).tolist(), trades.kind.tolist(), trades.time.tolist(), trades.participant_time.tolist(),
            trades.sequence.tolist(), trades.trf.tolist(), trades.trf_time.tolist(), (trades.size / SHARE).tolist(), strict=True,
        )
    ]  # fmt: skip


@dataclass(frozen=True)
class Aggregates(Columns):
    """Windows as they are sent: a window may stand here twice, first without and then with a late trade."""

    sent: Integers  # when, Unix milliseconds
    bars: Bars
    day_volume: Integers  # millionths of a share, up to the window's end
    day_dollars: Floats
    official_open: Floats  # NaN before it

    def take(self, rows: Integers) -> Aggregates:
        """The rows with these numbers."""
        return Aggregates(
            self.sent[rows], self.bars.take(rows), self.day_volume[rows], self.day_dollars[rows], self.official_open[rows]
        )

    @cached_property
    def symbol(self) -> Integers:
        """Index into the tape's symbols."""
        return self.bars.symbol.astype(np.int64)


def aggregate_texts(windows: Aggregates, event: str, length: int, symbols: SymbolTexts) -> list[str]:
    """One A or AM event per window; `length` is the window's in milliseconds."""
    bars, starts = windows.bars, symbols.starting(event)
    mean_size = bars.volume // SHARE // np.maximum(bars.count, 1)
    opening = [f',"op":{each}' if each == each else "" for each in windows.official_open.tolist()]  # absent before it
    return [
        f'{starts[symbol]},"v":{volume // SHARE},"dv":"{volume / SHARE}","av":{day // SHARE},"dav":"{day / SHARE}"'
        f'{opening},"vw":{vwap},"o":{first},"c":{last},"h":{high},"l":{low},"a":{day_vwap},'
        f'"z":{size},"s":{start},"e":{start + length}}}'
        for symbol, volume, day, opening, vwap, first, last, high, low, day_vwap, size, start in zip(
            bars.symbol.tolist(), bars.volume.tolist(), windows.day_volume.tolist(), opening,
            volume_weighted(bars.dollars, bars.volume).tolist(), bars.open.tolist(), bars.close.tolist(), bars.high.tolist(),
            bars.low.tolist(), volume_weighted(windows.day_dollars, windows.day_volume).tolist(), mean_size.tolist(),
            bars.start.tolist(), strict=True,
        )
    ]  # fmt: skip


def quote_texts(trades: Trades, symbols: SymbolTexts) -> list[str]:
    """One Q event per trade: the best bid and offer around its price as they stood when it happened."""
    starts = symbols.starting("Q")
    units = np.rint(trades.price * 10_000).astype(np.int64)
    step = np.where(units < 10_000, 1, 100)
    spread = np.maximum(step, units // 40_000 // step * step)
    at_bid = trades.sequence % 2 == 0
    bid = np.maximum(np.where(at_bid, units // step * step, -(-units // step) * step - spread), step)
    sizes = 100 * (1 + trades.identity % 7), 100 * (1 + trades.identity % 5)
    return [
        f'{starts[symbol]},"bx":{bid_venue},"bp":{bid_price},"bs":{bid_size},"ax":{ask_venue},"ap":{ask_price},"as":{ask_size},'
        f'"c":1,"i":[604],"t":{at},"pt":{at},"q":{sequence},"z":{tape}}}'
        for symbol, bid_venue, bid_price, bid_size, ask_venue, ask_price, ask_size, at, sequence, tape in zip(
            trades.symbol.tolist(), np.where(at_bid, 12, 11).tolist(), (bid / 10_000).tolist(), sizes[0].tolist(),
            np.where(at_bid, 19, 12).tolist(), ((bid + spread) / 10_000).tolist(), sizes[1].tolist(),
            trades.participant_time.tolist(), trades.sequence.tolist(), trades.tape.tolist(), strict=True,
        )
    ]  # fmt: skip
