"""The long run's measuring: what grows is found, what only swings or begins is not, and the command ends with its line."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from benchmarks.running_system import ROOT
from benchmarks.soak import Growth

SAMPLES = 360  # of ten seconds: an hour


def growth(values: list[float]) -> Growth:
    found = Growth()
    for number, value in enumerate(values):
        found.add(number / 360, value)
    return found


def test_a_leak_is_found_among_swings() -> None:
    leaking = growth([100 + 2 * number / SAMPLES + (number % 7) for number in range(SAMPLES)])
    assert leaking.per_hour() == pytest.approx(2.0, abs=0.1)


def test_what_only_begins_or_swings_is_no_growth() -> None:
    settled = growth([100 + min(number, SAMPLES // 20) + (number % 3) for number in range(SAMPLES)])
    assert settled.per_hour() == pytest.approx(0.0, abs=0.1)
    assert settled.since_warm_up() == 0
    assert settled.at(0.0) < settled.at(0.5) == settled.at(1.0)


def test_a_single_sample_in_which_more_was_open_is_no_growth() -> None:
    assert growth([17.0] * (SAMPLES - 1) + [25.0]).since_warm_up() == 0


def test_one_more_descriptor_for_good_is_growth() -> None:
    assert growth([17.0] * 200 + [18.0] * 160).since_warm_up() == 1


def test_the_command_ends_with_its_line_and_nothing_lost(thorough: bool) -> None:
    if not thorough:
        pytest.skip("a minute and more: with --thorough")
    ended = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak", "--minutes", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.fullmatch(
        r"soak: 1 minutes, memory [+-][\d.]+ MB/h app, [+-][\d.]+ MB/h streaming, descriptors [+-]\d+, threads [+-]\d+, "
        r"queues 0, 0 lost",
        ended.stdout.splitlines()[-1],
    )
