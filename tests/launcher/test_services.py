from __future__ import annotations

from pathlib import Path

import pytest

from launcher.options import read_options
from launcher.redis_server import RedisCommand
from launcher.services import Plans, SimulatorPlace, environment_of_services
from tickstock.settings import Settings

REDIS = "redis://127.0.0.1:6380/0"
PLACE = SimulatorPlace(7001, 7002, "made-up-key")


@pytest.fixture
def day(tmp_path: Path) -> str:
    path = tmp_path / "2013-10-07.csv.gz"
    path.touch()
    return str(path)


def test_every_service_reads_the_settings_it_is_given(tmp_path: Path, day: str) -> None:
    for arguments in ([], ["--replay", day], ["--symbols", "AAPL,MSFT", "--log-level", "debug"]):
        environment = environment_of_services(read_options(arguments, {}, tmp_path), REDIS, PLACE)
        settings = Settings.load(environment, dotenv=None)
        assert (settings.redis_url, settings.lifeline) == (REDIS, "stdin")
        assert settings.database == f"sqlite:///{tmp_path / 'data' / 'tickstock.db'}"
    assert (settings.symbols, settings.log_level) == (("AAPL", "MSFT"), "DEBUG")


def test_the_simulated_market_is_always_open_and_runs_on_the_wall_clock(tmp_path: Path) -> None:
    settings = Settings.load(environment_of_services(read_options([], {}, tmp_path), REDIS, PLACE), dotenv=None)
    assert (settings.feed, settings.feed_clock, settings.calendar) == ("simulated", "wall", "always_open")
    assert (settings.feed_url, settings.rest_url) == ("ws://127.0.0.1:7001/stocks", "http://127.0.0.1:7002")
    assert settings.massive_api_key == "made-up-key"
    assert settings.channel == "A"


def test_a_recorded_day_follows_its_events_and_never_sees_the_real_key(tmp_path: Path, day: str) -> None:
    options = read_options(["--replay", day, "--speed", "max"], {"MASSIVE_API_KEY": "real"}, tmp_path)
    environment = environment_of_services(options, REDIS, PLACE)
    settings = Settings.load(environment, dotenv=None)
    assert (settings.feed, settings.feed_clock, settings.calendar) == ("replay", "events", "exchange")
    assert settings.channel == "T"
    assert "real" not in environment.values()
    command = Plans(options, Path("python"), environment).simulator(PLACE).command
    assert list(command[-4:]) == ["--replay", day, "--speed", "max"]


def test_a_channel_that_was_chosen_stays_in_a_replay(tmp_path: Path, day: str) -> None:
    options = read_options(["--replay", day], {"TICKSTOCK_CHANNEL": "AM"}, tmp_path)
    assert environment_of_services(options, REDIS, PLACE)["TICKSTOCK_CHANNEL"] == "AM"


def test_the_real_market_gets_the_real_key_and_address(tmp_path: Path) -> None:
    options = read_options([], {"MASSIVE_API_KEY": "real"}, tmp_path)
    settings = Settings.load(environment_of_services(options, REDIS, None), dotenv=None)
    assert (settings.massive_api_key, settings.feed, settings.feed_clock) == ("real", "massive", "wall")
    assert settings.feed_url == "wss://socket.massive.com/stocks"


def test_the_simulated_market_has_the_symbols_that_are_watched(tmp_path: Path) -> None:
    def command(*arguments: str) -> list[str]:
        return list(Plans(read_options(arguments, {}, tmp_path), Path("python"), {}).simulator(PLACE).command)

    assert command("--symbols", "ZZZ, AAPL")[-2:] == ["--symbols", "ZZZ,AAPL"]
    assert "--symbols" not in command()
    assert "--symbols" not in command("--symbols", "*")


def test_each_start_makes_up_a_key_of_its_own() -> None:
    assert SimulatorPlace.on(1, 2).key != SimulatorPlace.on(1, 2).key


def test_stopping_all_takes_less_than_half_a_minute_even_when_none_of_them_listens(tmp_path: Path) -> None:
    plans = Plans(read_options([], {}, tmp_path), Path("python"), {})
    everything = [plans.redis(RedisCommand(("r",), 1, "r")), plans.simulator(PLACE), plans.streaming(), plans.app()]
    assert [plan.name for plan in everything] == ["Redis", "Market Simulator", "TickStockPL Streaming", "TickStockAppV2"]
    assert sum(plan.seconds_to_stop for plan in everything) <= 28


def test_services_share_few_pools_of_memory_unless_told_otherwise(tmp_path: Path) -> None:
    for given, expected in (({}, "2"), ({"MALLOC_ARENA_MAX": "8"}, "8")):
        assert environment_of_services(read_options([], given, tmp_path), REDIS, None)["MALLOC_ARENA_MAX"] == expected
