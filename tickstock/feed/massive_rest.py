"""Massive's REST interface: bars, splits, snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from msgspec import Struct

from tickstock.settings import Settings


class RestBar(Struct, frozen=True, gc=False):
    """A bar as the vendor has it."""

    timestamp: int  # start of the bar; of a day bar midnight in New York
    open: float
    high: float
    low: float
    close: float
    volume: int
    trades: int | None


class Split(Struct, frozen=True):
    """Of every `split_from` shares became `split_to` on `day`."""

    symbol: str
    day: date
    split_from: float
    split_to: float


class Snapshot(Struct, frozen=True):
    """The state of one symbol at this moment; what the vendor left out is None."""

    symbol: str
    previous_close: float | None
    last_price: float | None
    day_volume: int | None


class MassiveRest:
    """Thread-safe and bounded in time. Every method raises RestError when the vendor answers with an error, or not at all."""

    def __init__(self, base_url: str, key: str, requests_per_minute: int = 3000, deadline_seconds: float = 90.0) -> None: ...

    @classmethod
    def for_settings(cls, settings: Settings) -> MassiveRest:
        """The interface that the settings name."""
        return cls(settings.rest_url, settings.massive_api_key, settings.rest_requests_per_minute)

    def minute_bars(self, symbol: str, from_ms: int, to_ms: int) -> list[RestBar]:
        """Minute bars that start in [from_ms, to_ms), oldest first, split-adjusted."""
        raise NotImplementedError

    def day_bars(self, symbol: str, first: date, last: date) -> list[RestBar]:
        """Day bars of the days first to last, both included, oldest first, split-adjusted."""
        raise NotImplementedError

    def previous_day(self, symbol: str) -> RestBar | None:
        """The day bar of the trading day before the current one."""
        raise NotImplementedError

    def snapshot(self, symbols: Sequence[str]) -> list[Snapshot]:
        """The state of these symbols at this moment; one that the vendor does not know is absent."""
        raise NotImplementedError

    def splits(self, since: date, until: date, symbol: str | None = None) -> list[Split]:
        """Splits that took effect on the days since to until, both included."""
        raise NotImplementedError

    def close(self) -> None:
        """Close idle connections and end every wait: running calls raise RestError soon."""
        raise NotImplementedError
