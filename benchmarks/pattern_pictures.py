"""Draws every pattern: `python -m benchmarks.pattern_pictures` writes docs/images/patterns/NAME.svg.

Each picture is an example that our own detector finds (benchmarks/pattern_examples.py). Colours are of middle brightness on a
transparent ground, so that they stand out in light and dark; rising bodies are hollow, falling ones full.
"""

from __future__ import annotations

from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np

from benchmarks.pattern_examples import MINUTE, candlestick_example, chart_pattern_example
from tickstock.analysis.candlesticks import CANDLESTICKS
from tickstock.analysis.catalog import catalog
from tickstock.analysis.results import Floats, PatternHit

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "images" / "patterns"
CANDLES_BEFORE = 6  # drawn of the trend before a candlestick
HEIGHT, EDGE = 96, 6
UP, DOWN, BEFORE, LINE, POINT = "#2f8fc4", "#d0702c", "#8b93a0", "#7f6fd0", "#7f6fd0"


class Canvas:
    """Maps bars and prices to a small picture, and collects its shapes."""

    def __init__(self, width: int, bars: int, low: float, high: float) -> None:
        self.step = (width - 2 * EDGE) / bars
        self._width = width
        self._low, self._scale = low, (HEIGHT - 2 * EDGE) / (high - low)
        self.shapes: list[str] = []

    def x(self, bar: float) -> str:
        """The middle of a bar."""
        return _short(EDGE + (bar + 0.5) * self.step)

    def y(self, price: float) -> str:
        """The height of a price."""
        return _short(HEIGHT - EDGE - (price - self._low) * self._scale)

    def candle(self, at: int, prices: tuple[float, float, float, float], colour: str, full: bool) -> None:
        """Wicks, and a body that is hollow or full."""
        opening, high, low, close = prices
        top, bottom = max(opening, close), min(opening, close)
        half = self.step * 0.34
        left, right = _short(EDGE + (at + 0.5) * self.step - half), _short(EDGE + (at + 0.5) * self.step + half)
        x, y_top, y_bottom = self.x(at), self.y(top), self.y(bottom)
        fill = f' fill="{colour}"' if full else ""
        wicks = f"M{x} {self.y(high)}V{y_top}M{x} {y_bottom}V{self.y(low)}"
        self.shapes.append(f'<path d="{wicks}M{left} {y_top}H{right}V{y_bottom}H{left}Z" stroke="{colour}"{fill}/>')

    def strokes(self, xs: Floats, tops: Floats, bottoms: Floats, colour: str, width: float) -> None:
        """Upright strokes, many in one path."""
        path = "".join(f"M{self.x(x)} {self.y(a)}V{self.y(b)}" for x, a, b in zip(xs, tops, bottoms, strict=True))
        self.shapes.append(f'<path d="{path}" stroke="{colour}" stroke-width="{_short(width)}"/>')

    def line(self, points: list[tuple[float, float]]) -> None:
        """A line through points given as bar and price."""
        path = "L".join(f"{self.x(bar)} {self.y(price)}" for bar, price in points)
        self.shapes.append(f'<path d="M{path}" stroke="{LINE}" stroke-width="1.5" stroke-dasharray="4 2"/>')

    def point(self, bar: float, price: float) -> None:
        """A ring around a point."""
        self.shapes.append(f'<circle cx="{self.x(bar)}" cy="{self.y(price)}" r="3.5" stroke="{POINT}" stroke-width="1.5"/>')

    def svg(self, title: str) -> str:
        """The picture."""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{self._width}" height="{HEIGHT}" fill="none" role="img">'
        return f"{head}<title>{escape(title)}</title>{''.join(self.shapes)}</svg>\n"


def candlestick_picture(name: str) -> str:
    """The candlestick behind the last bars of the trend before it."""
    example = candlestick_example(CANDLESTICKS[name])
    bars = example.bars.rows(np.arange(len(example.bars.close) - example.own - CANDLES_BEFORE, len(example.bars.close)))
    canvas = Canvas(2 * EDGE + 12 * len(bars.close), len(bars.close), bars.low.min(), bars.high.max())
    for at, prices in enumerate(zip(*(column.tolist() for column in bars[1:5]), strict=True)):
        rises = prices[3] >= prices[0]
        colour = BEFORE if at < CANDLES_BEFORE else UP if rises else DOWN
        canvas.candle(at, prices, colour, full=not rises)
    return canvas.svg(f"{name}: {example.own} candles behind the trend before them")


def chart_pattern_picture(name: str) -> str:
    """The bars up to the confirmation, the points of the shape and its lines."""
    example = chart_pattern_example(name)
    assert example.hit is not None
    first = _first_bar(example.hit)
    _, opening, high, low, close, _ = example.bars.rows(np.arange(first, len(example.bars.close)))
    canvas = Canvas(240, len(close), low.min(), high.max())
    at = np.arange(len(close), dtype=np.float64)
    canvas.strokes(at, high, low, BEFORE, 0.8)
    for colour, chosen in ((UP, close >= opening), (DOWN, close < opening)):
        canvas.strokes(at[chosen], opening[chosen], close[chosen], colour, canvas.step * 0.68)
    for points in _lines(example.hit):
        canvas.line([(bar - first, price) for bar, price in points])
    for each in example.hit.details.get("points", []):
        canvas.point(each["timestamp"] / MINUTE - first, each["price"])
    return canvas.svg(f"{name}, up to the bar that confirms it")


def _first_bar(hit: PatternHit) -> int:
    times = [float(each["timestamp"] / MINUTE) for each in hit.details.get("points", [])]
    times += [bar for points in _lines(hit) for bar, _ in points]
    return max(int(min(times)) - 4, 0)


def _lines(hit: PatternHit) -> list[list[tuple[float, float]]]:
    return [[(at["timestamp"] / MINUTE, at["price"]) for at in line["points"]] for line in hit.details.get("lines", [])]


def _short(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")


def pictures() -> dict[str, str]:
    """The SVG of every pattern."""
    draw = {"candlestick": candlestick_picture, "chart_pattern": chart_pattern_picture}
    return {entry.name: draw[entry.kind](entry.name) for entry in catalog() if entry.kind in draw}


def main() -> None:
    """Draw them all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, svg in pictures().items():
        (FOLDER / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
