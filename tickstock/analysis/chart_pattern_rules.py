"""The chart patterns as data: what the catalogue says of them, and the limits by which their shapes are judged."""

from __future__ import annotations

from collections.abc import Mapping

from tickstock.analysis.catalog_entry import CatalogEntry

_OSLER = "Osler and Chang 1995, 1999: causal pivots and ratio conditions"
_LO = "Lo, Mamaysky and Wang 2000, on causal pivots with limits in heights instead of percent"
_EDWARDS = "Edwards and Magee, on causal pivots with limits in heights"

_HEAD_SHOULDERS_PARAMETERS = {
    "version": 1,
    "prominence": 1.15,  # head over the higher shoulder, both measured from the neckline: at least
    "ideal_prominence": 2.0,
    "shoulder_difference": 0.35,  # between the shoulders, in head heights: at most
    "trough_difference": 0.35,  # between the troughs, in head heights: at most
    "time_ratio": 2.5,  # of the longer to the shorter distance between shoulder and head: at most
    "least_bars": 5,  # between shoulder and head
}

_DOUBLE_PARAMETERS = {
    "version": 1,
    "peak_difference": 0.25,  # between the peaks, in heights (higher peak less trough): at most
    "least_bars": 10,  # between the peaks
    "void_beyond": 0.25,  # heights beyond the further peak
}

_TRIPLE_PARAMETERS = {
    "version": 1,
    "peak_difference": 0.25,  # between any two peaks, in heights (mean peak less the nearer trough): at most
    "trough_difference": 0.35,  # between the troughs, in heights: at most
    "least_bars": 10,  # between neighbouring peaks
    "void_beyond": 0.25,  # heights beyond the furthest peak
}

# One set of limits for all that lies between two lines, so that the same five pivots are never two shapes. Heights are widths
# between the lines at the first pivot; a line's rise is that from the first to the fifth pivot.
_CONVERGING_PARAMETERS = {
    "version": 1,
    "flat": 0.15,  # a line that rises or falls by at most so many heights is flat
    "ideal_rise": 0.5,  # of a line that is not flat, in heights
    "convergence": 0.7,  # width at the fifth pivot, in heights: at most
    "touch": 0.15,  # distance of a pivot from its line, in heights: at most
    "least_bars": 15,  # from the first to the fifth pivot
    "apex_share": 0.75,  # of the way from the first pivot to the apex within which the break must come
}

_FLAG_PARAMETERS = {
    "version": 1,
    "pole_ranges": 5.0,  # average ranges that the pole spans: at least
    "ideal_pole_ranges": 10.0,
    "pole_most_bars": 15,
    "retrace": 0.5,  # of the pole: at most
    "drift": 0.05,  # poles that the flag's regression may run on in the pole's direction and still be flat
    "least_bars": 5,  # of the flag
    "most_bars": 20,  # of the flag, until it is out of time
}

_RANGE_PARAMETERS = {
    "version": 1,
    "range_bars": 20,
    "width": 3.0,  # average ranges that the range spans: at most
    "ideal_break": 0.5,  # widths by which the close lies beyond
}


def _entry(
    name: str, family: str, direction: str, bars: int, description: str, source: str, parameters: Mapping[str, float]
) -> CatalogEntry:
    return CatalogEntry(
        name=name, kind="chart_pattern", family=family, direction=direction, bars=bars, description=description, source=source,
        parameters=parameters,
    )  # fmt: skip


HEAD_SHOULDERS = _entry(
    "HeadShoulders", "reversal", "bearish", 26,
    "Three peaks after a rise, the middle one highest; confirmed by a close below the line under the two troughs.",
    _OSLER, _HEAD_SHOULDERS_PARAMETERS,
)  # fmt: skip
INVERSE_HEAD_SHOULDERS = _entry(
    "InverseHeadShoulders", "reversal", "bullish", 26,
    "Three troughs after a fall, the middle one deepest; confirmed by a close above the line over the two peaks.",
    _OSLER, _HEAD_SHOULDERS_PARAMETERS,
)  # fmt: skip
DOUBLE_TOP = _entry(
    "DoubleTop", "reversal", "bearish", 26,
    "Two peaks at about one height after a rise; confirmed by a close below the trough between them.",
    _LO, _DOUBLE_PARAMETERS,
)  # fmt: skip
DOUBLE_BOTTOM = _entry(
    "DoubleBottom", "reversal", "bullish", 26,
    "Two troughs at about one height after a fall; confirmed by a close above the peak between them.",
    _LO, _DOUBLE_PARAMETERS,
)  # fmt: skip
TRIPLE_TOP = _entry(
    "TripleTop", "reversal", "bearish", 36,
    "Three peaks at about one height after a rise; confirmed by a close below the lower of the two troughs between them.",
    _EDWARDS, _TRIPLE_PARAMETERS,
)  # fmt: skip
TRIPLE_BOTTOM = _entry(
    "TripleBottom", "reversal", "bullish", 36,
    "Three troughs at about one height after a fall; confirmed by a close above the higher of the two peaks between them.",
    _EDWARDS, _TRIPLE_PARAMETERS,
)  # fmt: skip
ASCENDING_TRIANGLE = _entry(
    "AscendingTriangle", "continuation", "bullish", 19,
    "Lows rise towards a flat line over the highs; confirmed by a close beyond either line well before they meet.",
    _LO, _CONVERGING_PARAMETERS,
)  # fmt: skip
DESCENDING_TRIANGLE = _entry(
    "DescendingTriangle", "continuation", "bearish", 19,
    "Highs fall towards a flat line under the lows; confirmed by a close beyond either line well before they meet.",
    _LO, _CONVERGING_PARAMETERS,
)  # fmt: skip
SYMMETRICAL_TRIANGLE = _entry(
    "SymmetricalTriangle", "continuation", "either", 19,
    "Falling highs and rising lows run together; the close beyond either line, well before they meet, gives the direction.",
    _LO, _CONVERGING_PARAMETERS,
)  # fmt: skip
RISING_WEDGE = _entry(
    "RisingWedge", "reversal", "bearish", 19,
    "Highs and lows both rise, the lows faster; confirmed by a close below the lower line, void by one above the upper.",
    _EDWARDS, _CONVERGING_PARAMETERS,
)  # fmt: skip
FALLING_WEDGE = _entry(
    "FallingWedge", "reversal", "bullish", 19,
    "Highs and lows both fall, the highs faster; confirmed by a close above the upper line, void by one below the lower.",
    _EDWARDS, _CONVERGING_PARAMETERS,
)  # fmt: skip
BULL_FLAG = _entry(
    "BullFlag", "continuation", "bullish", 20,
    "A steep rise, then a few quiet bars that give back at most half of it; confirmed by a close above those bars.",
    _EDWARDS, _FLAG_PARAMETERS,
)  # fmt: skip
BEAR_FLAG = _entry(
    "BearFlag", "continuation", "bearish", 20,
    "A steep fall, then a few quiet bars that win back at most half of it; confirmed by a close below those bars.",
    _EDWARDS, _FLAG_PARAMETERS,
)  # fmt: skip
RANGE_BREAKOUT = _entry(
    "RangeBreakout", "breakout", "either", 21,
    "A close beyond the highs or lows of the twenty bars before, which stayed within three average ranges.",
    "Donchian's channel, narrow", _RANGE_PARAMETERS,
)  # fmt: skip

CHART_PATTERNS = (
    HEAD_SHOULDERS, INVERSE_HEAD_SHOULDERS, DOUBLE_TOP, DOUBLE_BOTTOM, TRIPLE_TOP, TRIPLE_BOTTOM, ASCENDING_TRIANGLE,
    DESCENDING_TRIANGLE, SYMMETRICAL_TRIANGLE, BULL_FLAG, BEAR_FLAG, RISING_WEDGE, FALLING_WEDGE, RANGE_BREAKOUT,
)  # fmt: skip
