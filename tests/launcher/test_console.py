from __future__ import annotations

import io
import threading

import pytest

from launcher.console import Console
from launcher.startup import secrets_in
from tests.launcher.conftest import Terminal


class TerminalWindow(io.StringIO):
    def isatty(self) -> bool:
        return True


class PausedTerminal(io.StringIO):
    """Takes nothing until it is released, as after Ctrl+S."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def write(self, text: str) -> int:
        self.released.wait(20)
        return super().write(text)


def test_a_line_of_a_service_has_its_name_in_front(terminal: Terminal) -> None:
    terminal.console.relay("TickStockAppV2", "12:00:00.000 INFO    MASSIVE-CLIENT: Connection established successfully")
    terminal.console.close()
    assert terminal.text == "[TickStockAppV2] 12:00:00.000 INFO    MASSIVE-CLIENT: Connection established successfully\n"


def test_there_is_colour_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    window, pipe = TerminalWindow(), io.StringIO()
    for stream in (window, pipe):
        console = Console(stream)
        console.relay("Redis", "ready")
        console.close()
    assert window.getvalue() == "\x1b[36m[Redis]\x1b[0m ready\n"
    assert pipe.getvalue() == "[Redis] ready\n"


def test_a_key_and_passwords_in_urls_are_not_shown_and_ordinary_words_are(terminal: Terminal) -> None:
    environment = {
        "MASSIVE_API_KEY": "abcdef123456",
        "REDIS_URL": "redis://:hunter2@localhost:6379/0",
        "DATABASE_URL": "postgresql://tickstock:tickstock@localhost/tickstock",
    }
    terminal.console.hide(secrets_in(environment))
    shown = terminal.console.printable("key abcdef123456, " + ", ".join(environment.values()) + ", tickstock:market:ticks")
    assert "abcdef123456" not in shown
    assert "hunter2" not in shown
    assert "postgresql://tickstock***localhost/tickstock" in shown
    assert shown.endswith("tickstock:market:ticks")


def test_characters_that_steer_the_terminal_are_made_harmless(terminal: Terminal) -> None:
    assert terminal.console.printable("a\x1b[2Jb\x07\tc\x9b") == "a?[2Jb?\tc?"


def test_a_terminal_that_takes_nothing_holds_nobody_up_and_says_what_it_missed() -> None:
    window = PausedTerminal()
    console = Console(window)
    for number in range(25_000):
        console.relay("Redis", str(number))
    window.released.set()
    console.close(20)
    assert "lines are only in the log files" in window.getvalue()
    assert "[Redis] 0\n" in window.getvalue()


def test_a_terminal_that_has_gone_ends_nothing() -> None:
    gone = io.StringIO()
    console = Console(gone)
    gone.close()
    console.say("still here")
    console.close()
