"""/api/catalog: what there is, what is computed with these settings, and what the page shows of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tickstock.analysis.catalog import catalog
from tickstock.analysis.default_filter import SHOWN_FROM
from tickstock.analysis.quality_ranks import QUALITY_QUANTILES
from tickstock.errors import SettingError
from tickstock.settings import Settings
from tickstock.web.application import create_app


def answer(folder: Path, **chosen: Any) -> dict[str, Any]:
    app = create_app(Settings(data_dir=folder, async_mode="threading", **chosen))
    response = app.test_client().get("/api/catalog")
    assert response.status_code == 200
    told: dict[str, Any] = response.get_json()
    return told


def test_every_entry_is_told_with_its_quantiles_and_where_the_page_begins_to_show_it(tmp_path: Path) -> None:
    entries = {entry["name"]: entry for entry in answer(tmp_path)["entries"]}
    assert list(entries) == [entry.name for entry in catalog()]
    for name, entry in entries.items():
        assert entry["shown_from"] == SHOWN_FROM.get(name)
        quantiles = QUALITY_QUANTILES.get(name)
        assert entry["quality_quantiles"] == (None if quantiles is None else list(quantiles))
        assert (entry["measured_on"] is None) == (quantiles is None)
    assert entries["SMA"]["parameters"] == {"period": 20}


def test_it_tells_what_the_settings_choose_for_each_timeframe(tmp_path: Path) -> None:
    told = answer(
        tmp_path,
        timeframes=("1min", "1day"),
        patterns=("none", "1day:Engulfing"),
        indicators=("BollingerBands_20_2.5", "VWAP"),
        alerts=("GOLDEN_CROSS",),
    )
    always = ["Doji", "Hammer", "HeadShoulders"]
    bands = ["BB_UPPER_20_2.5", "BB_MIDDLE_20_2.5", "BB_LOWER_20_2.5"]
    assert told["enabled"] == {
        "1min": {"patterns": always, "indicators": {"BollingerBands_20_2.5": bands, "VWAP": ["VWAP"]}, "alerts": []},
        "1day": {
            "patterns": ["Doji", "Engulfing", "Hammer", "HeadShoulders"],
            "indicators": {"BollingerBands_20_2.5": bands},
            "alerts": ["GOLDEN_CROSS"],
        },
    }


def test_a_choice_that_does_not_exist_stops_the_application_at_its_start(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="Did you mean Hammer"):
        create_app(Settings(data_dir=tmp_path, async_mode="threading", patterns=("Hamer",)))
