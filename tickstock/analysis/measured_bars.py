"""`MeasuredBars`: the window of the lanes that matched; its comparisons tell how far inside a condition each lane is."""

from __future__ import annotations

from typing import TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from tickstock.analysis.bar_window import BODY_DOJI, USUAL_RANGE, BarWindow, CandleAverage
from tickstock.analysis.quantities import Condition, Kind, Margins, Measured, Quantity, Scale
from tickstock.analysis.results import Booleans, Floats, Integers

Values = TypeVar("Values", bound=np.generic)


class MeasuredBars(BarWindow):
    """The same window for lanes that matched; a comparison also tells how far inside it each lane is."""

    def __init__(self, window: BarWindow, tick: Floats, chosen: Integers | None = None) -> None:
        """`tick` is the smallest price step of each lane of the window, in 1/10,000 dollar; without a choice all lanes count."""
        super().__init__(window.bars)
        self._searched = window  # which knows most of what is asked for
        self._chosen = chosen
        self.tick = tick = taken(tick, chosen)
        self._scale = Scale(tick, np.maximum(self.average(USUAL_RANGE, 0), tick))

    def within(self, left: Quantity, right: Quantity, limit: Quantity) -> Condition:
        """As a length under a limit: the margin is what the distance leaves of it."""
        holds = cast("Margins", super().within(left, right, limit)).holds
        return self._leaves(holds, np.abs(cast("Measured", left).values - cast("Measured", right).values), limit)

    def body_within(self, lag: int, price: Quantity, limit: Quantity) -> Condition:
        """As for a price: the distance is that of the body's nearer end, or nothing where the price lies in the body."""
        holds = cast("Margins", super().body_within(lag, price, limit)).holds
        middle = cast("Measured", price).values
        apart = np.maximum(self.column("body_bottom", lag) - middle, middle - self.column("body_top", lag))
        return self._leaves(holds, np.maximum(apart, 0.0), limit)

    def between(
        self, lower: Quantity, price: Quantity, upper: Quantity, *, lower_too: bool = False, upper_too: bool = False
    ) -> Condition:
        """One margin for both ends, 1 in the middle between them; where they are less than a tick apart, there is no room."""
        holds = cast("Margins", super().between(lower, price, upper, lower_too=lower_too, upper_too=upper_too)).holds
        low, at, high = (cast("Measured", each).values for each in (lower, price, upper))
        half = np.maximum(high - low, self.tick) / 2.0
        margin = np.minimum(np.minimum(at - low, high - at) / half, 1.0)
        return Margins.of(holds, np.where(high - low < self.tick, 0.0, np.maximum(margin, 0.0)))

    def same(self, left: Quantity, right: Quantity) -> Condition:
        return Margins.label(cast("Measured", left).values == cast("Measured", right).values)

    def _as(self, kind: Kind, values: Floats) -> Quantity:
        return Measured(values, kind, self._scale)

    def _label(self, holds: Booleans) -> Condition:
        return Margins.label(holds)

    def _coloured(self, lag: int, holds: Booleans) -> Condition:
        """The nearer to a doji, the less a colour says; from there on it is plain."""
        plain = np.maximum(self.average(BODY_DOJI, lag), self.tick)
        return Margins.of(holds, np.minimum(self.column("body", lag) / plain, 1.0))

    def _averaged(self, of: CandleAverage, lag: int) -> Floats:
        return taken(self._searched.average(of, lag), self._chosen)

    def _computed(self, name: str, lag: int) -> Floats:
        return taken(self._searched.column(name, lag), self._chosen)

    def _leaves(self, holds: Booleans, apart: Floats, limit: Quantity) -> Condition:
        """The margin is what a distance leaves of its limit."""
        length = Measured(apart, Kind.LENGTH, self._scale)
        return Margins.of(holds, cast("Margins", length <= limit).product)


def taken(values: NDArray[Values], chosen: Integers | None) -> NDArray[Values]:
    """The values of the chosen lanes; without a choice all of them."""
    return values if chosen is None else values.take(chosen)
