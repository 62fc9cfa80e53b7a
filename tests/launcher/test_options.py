from __future__ import annotations

from pathlib import Path

import pytest

from launcher.errors import LauncherError
from launcher.options import Options, read_options


def test_flags_win_over_the_environment_and_that_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("TICKSTOCK_PORT=5001\nTICKSTOCK_LOG_LEVEL=WARNING\nTICKSTOCK_ASYNC_MODE=threading\n")
    options = read_options(["--port", "5003"], {"TICKSTOCK_PORT": "5002", "TICKSTOCK_LOG_LEVEL": "DEBUG"}, tmp_path)
    assert (options.settings.port, options.settings.log_level, options.settings.async_mode) == (5003, "DEBUG", "threading")
    assert options.environment["TICKSTOCK_PORT"] == "5003"
    assert options.environment["TICKSTOCK_ASYNC_MODE"] == "threading"  # so that app.py sees it before it imports anything


def test_the_data_directory_is_handed_on_as_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert read_options([], {}, tmp_path).settings.data_dir == tmp_path / "data"
    assert read_options([], {"TICKSTOCK_DATA_DIR": "elsewhere"}, tmp_path).environment["TICKSTOCK_DATA_DIR"] == str(
        tmp_path / "elsewhere"
    )
    (tmp_path / "where I am").mkdir()
    monkeypatch.chdir(tmp_path / "where I am")
    assert read_options(["--data-dir", "d"], {}, tmp_path).settings.data_dir == tmp_path / "where I am" / "d"


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        ([], {"TICKSTOCK_PROT": "1"}, "Did you mean TICKSTOCK_PORT"),
        (["--port", "lots"], {}, "TICKSTOCK_PORT must be a whole number from 1 to 65535; got 'lots'"),
        (
            [],
            {"TICKSTOCK_PATTERNS": "default,-Hamer"},
            "TICKSTOCK_PATTERNS must be default, all, none or names of docs/patterns.md; got 'Hamer'. Did you mean Hammer?",
        ),
        ([], {"REDIS_URL": "http://secret@host"}, "a value that is not shown"),
        (["--speed", "10"], {}, "--speed needs --replay"),
        (["--replay", "nowhere.csv"], {}, "there is no file"),
        (["--replay", __file__], {}, "takes a trades_v1 flat file"),
    ],
)
def test_what_is_wrong_is_said_with_exit_code_2(
    tmp_path: Path, arguments: list[str], environment: dict[str, str], words: str
) -> None:
    with pytest.raises(LauncherError) as caught:
        read_options(arguments, environment, tmp_path)
    assert words in str(caught.value)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(("given", "speed"), [(None, "1"), ("60", "60"), ("0.5", "0.5"), ("max", "max")])
def test_a_recorded_day_has_a_speed(tmp_path: Path, given: str | None, speed: str) -> None:
    day = tmp_path / "2013-10-07.csv.gz"
    day.touch()
    options = read_options(
        ["--replay", str(day), *(["--speed", given] if given else [])], {"MASSIVE_API_KEY": "real key"}, tmp_path
    )
    assert (options.market, options.replay, options.speed) == ("replay", day, speed)


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan", "inf"])
def test_a_speed_that_is_none_is_refused(tmp_path: Path, speed: str) -> None:
    (tmp_path / "day.csv").touch()
    with pytest.raises(LauncherError, match="--speed must be"):
        read_options(["--replay", str(tmp_path / "day.csv"), f"--speed={speed}"], {}, tmp_path)


def test_the_simulated_market_stands_in_while_there_is_no_key(tmp_path: Path) -> None:
    assert read_options([], {"MASSIVE_API_KEY": " "}, tmp_path).market == "simulated"
    assert read_options([], {"MASSIVE_API_KEY": "k"}, tmp_path).market == "massive"


def test_a_redis_of_ones_own_is_used_when_named(tmp_path: Path) -> None:
    assert read_options([], {"REDIS_URL": ""}, tmp_path).has_own_redis
    assert not read_options([], {"REDIS_URL": "redis://127.0.0.1:6379/0"}, tmp_path).has_own_redis


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "localhost:5000"),
        ("0.0.0.0", "localhost:5000"),
        ("192.168.1.5", "192.168.1.5:5000"),
        ("fd00::5", "[fd00::5]:5000"),
    ],
)
def test_the_page_is_named_as_one_opens_it(tmp_path: Path, host: str, url: str) -> None:
    options: Options = read_options([], {"TICKSTOCK_HOST": host}, tmp_path)
    assert options.dashboard_url == f"http://{url}/dashboard"


def test_help_shows_every_flag_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read_options(["--help"])
    text = capsys.readouterr().out
    assert caught.value.code == 0
    for word in ("--port", "--data-dir", "--replay", "--speed", "--symbols", "--log-level", "MASSIVE_API_KEY", "exit codes"):
        assert word in text
