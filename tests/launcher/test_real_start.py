"""The whole system in this checkout, as the README's first command starts it."""

from __future__ import annotations

import os
import re
import signal
import urllib.request
from pathlib import Path

import pytest

from tests.launcher.conftest import has_ended
from tests.launcher.stand_in import ROOT, Run, options

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name != "posix", reason="signals as on POSIX")]


def test_one_command_brings_the_dashboard_up_and_ctrl_c_leaves_nothing(tmp_path: Path) -> None:
    given = options(tmp_path)
    # Weeks of history for the longer timeframes would cost the other tests half a minute of both cores.
    run = Run(ROOT, *given, environment={"TICKSTOCK_TIMEFRAMES": "1min,5min"})
    try:
        run.wait_for(f"Open http://localhost:{given[1]}/dashboard", 300)
        with urllib.request.urlopen(f"http://127.0.0.1:{given[1]}/dashboard", timeout=20) as page:
            assert "Live Streaming" in page.read().decode()
        for words in (
            "MASSIVE-CLIENT: Connection established successfully",
            "MASSIVE-CLIENT: All 70 ticker subscriptions confirmed",
            "STREAMING: Starting Redis tick listener loop",
            "STREAMING: Subscribed to tickstock:market:ticks",
            "STREAMING: Processed 100 ticks from Redis",
        ):
            run.wait_for(words, 120)
        family = run.family()
        assert run.interrupt() == 0, run.text
        assert all(map(has_ended, family))
        for prefix in ("TickStockAppV2", "TickStockPL Streaming", "Market Simulator", "Redis"):
            assert re.search(rf"^\[{prefix}\] ", run.text, re.MULTILINE)
        assert (tmp_path / "data" / "tickstock.db").exists()
    finally:
        run.end()


def test_a_request_to_stop_while_tickstockpl_warms_up_is_heard(tmp_path: Path) -> None:
    run = Run(ROOT, *options(tmp_path))
    try:
        run.wait_for("Open http://localhost:", 300)
        run.process.send_signal(signal.SIGTERM)
        assert run.exit_code() == 0, run.text
    finally:
        run.end()
