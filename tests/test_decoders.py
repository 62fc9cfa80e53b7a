"""Types are known to msgspec before threads meet them: two that meet one for the first time together end the process."""

from __future__ import annotations

from typing import Any, NoReturn

import msgspec
import pytest

from tickstock import contract
from tickstock.contract import FeedStatus, MarketTick, ResultsEntry, TakenPosition, decode, encode
from tickstock.feed import massive_http, massive_rest


@pytest.fixture
def nothing_new(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a decoder was made when it was needed")

    for name in ("decode", "Decoder"):
        monkeypatch.setattr(msgspec.json, name, fail)


@pytest.mark.usefixtures("nothing_new")
@pytest.mark.parametrize("kind", massive_rest._Page.__subclasses__())
def test_answers_of_rest_are_read_by_decoders_that_are_there(kind: Any) -> None:
    assert massive_rest._read(b'{"status":"OK"}', kind, "/path").status == "OK"
    assert massive_http._message_in(b'{"error":"no"}') == "'no'"


@pytest.mark.usefixtures("nothing_new")
@pytest.mark.parametrize(
    "message",
    [
        MarketTick("AAPL", 1.0, 1, 1, "simulated"),
        FeedStatus("live", "simulated", 1, 1, 1, "run", 1, ""),
        TakenPosition("run", 1),
        ResultsEntry("run", 1, 1, [], [], []),
    ],
)
def test_messages_are_read_by_decoders_that_are_there(message: Any) -> None:
    assert decode(encode(message), type(message)) == message


def test_every_message_has_one() -> None:
    declared = {each for each in vars(contract).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)}
    assert declared - {msgspec.Struct, contract.BarValues, contract.LogEntry, contract.SymbolsAt} == contract._decoders.keys()
