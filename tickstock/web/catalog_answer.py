"""What `/api/catalog` answers: all there is, what is computed with these settings, and what the page shows by default."""

from __future__ import annotations

from typing import Any

from tickstock.analysis.catalog import catalog_as_data
from tickstock.analysis.default_filter import SHOWN_FROM, THINNED_TIMEFRAMES
from tickstock.analysis.indicator_kinds import value_names
from tickstock.analysis.quality_ranks import MEASURED_ON, QUALITY_QUANTILES
from tickstock.analysis.selection import Enabled, enabled_from
from tickstock.settings import Settings


def catalog_answer(settings: Settings) -> dict[str, Any]:
    """The answer, as data for JSON.

    Raises:
        SettingError: a setting chooses something that is not in the catalogue.
    """
    enabled = enabled_from(settings)
    return {
        "entries": [entry | _measured(entry["name"]) for entry in catalog_as_data()],
        "enabled": {timeframe: _as_data(enabled[timeframe]) for timeframe in settings.timeframes},
        "thinned_timeframes": THINNED_TIMEFRAMES,
    }


def _measured(name: str) -> dict[str, Any]:
    return {
        "shown_from": SHOWN_FROM.get(name),  # null: only when everything is shown
        "quality_quantiles": QUALITY_QUANTILES.get(name),  # null: never measured, or nothing that has a quality
        "measured_on": MEASURED_ON.get(name),
    }


def _as_data(enabled: Enabled) -> dict[str, Any]:
    return {
        "patterns": sorted(enabled.patterns),
        "indicators": {name: value_names(name) for name in enabled.indicators},  # what each publishes
        "alerts": sorted(enabled.alerts),
    }
