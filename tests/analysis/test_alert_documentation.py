"""docs/alerts.md says what the rules do."""

from __future__ import annotations

import re

from tests.web.services import REPOSITORY
from tickstock.analysis.alert_rules import ALERT_RULES, EVERY_TIMEFRAME, After, AlertRule, Back

ROW = re.compile(r"^\| `([A-Z_0-9]+)` \| (.+) \|$", re.MULTILINE)
ROWS = {name: cells.split(" | ") for name, cells in ROW.findall((REPOSITORY / "docs" / "alerts.md").read_text())}


def armed_again(rule: AlertRule) -> set[str]:
    """What the column must mention."""
    match rule.rearm:
        case None:
            return {"once a session"}
        case After(milliseconds):
            return {f"{milliseconds / 60_000:g} minutes after"}
        case Back(distance):
            where = (
                {"below" if rule.side > 0 else "above"} if isinstance(distance.unit, str) or distance.unit == 1.0 else {"middle"}
            )
            if not isinstance(rule.threshold, str):
                return where | {f"{rule.threshold - rule.side * distance.count:g}"}
            return (
                where
                | ({f"{distance.count:g}"} if distance.count else set())
                | ({"ATR 14"} if distance.unit == "ATR_14" else set())
            )


def quantity(name: str | float) -> str:
    return f"`{name}`" if isinstance(name, str) else f"{name:g}"


def test_the_table_of_alerts_is_that_of_the_rules():
    assert [*ROWS] == [rule.name for rule in ALERT_RULES]
    for rule in ALERT_RULES:
        _, fires, again, timeframes, direction, compared = ROWS[rule.name]
        assert f"{fires}." == rule.description
        assert timeframes == ("all" if rule.timeframes == EVERY_TIMEFRAME else ", ".join(rule.timeframes))
        assert direction == rule.direction
        assert compared == f"{quantity(rule.indicator)} / {quantity(rule.threshold)}"
        assert [word for word in armed_again(rule) if word not in again] == []


def test_the_bars_it_names_are_those_of_the_rules():
    text = (REPOSITORY / "docs" / "alerts.md").read_text()
    bars = {rule.name: rule.bars for rule in ALERT_RULES}
    assert f"RSI 14 from the {bars['RSI_OVERBOUGHT']}th bar on" in text
    assert f"MACD from the {bars['MACD_BULLISH_CROSS']}th" in text
