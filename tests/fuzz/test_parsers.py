"""A slice of the thorough run: every parser, with the cases that were found and some thousand new ones of a fixed seed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.found import FOUND
from tests.fuzz.inputs import Inputs
from tests.fuzz.parsers import PARSERS
from tests.fuzz.run import Escaped, run

SLICE = 8_000
THOROUGH = 100_000  # python -m tests.fuzz takes a million


@pytest.mark.parametrize("name", PARSERS)
def test_nothing_escapes_and_everything_rejected_is_counted_once(name: str, tmp_path: Path, thorough: bool) -> None:
    parser = PARSERS[name](tmp_path)
    tally = run(parser, THOROUGH if thorough else SLICE, 7, FOUND.get(name, ()))
    assert tally.accepted > SLICE // 40, tally  # what is valid still comes through
    assert tally.rejected.total() > SLICE // 10, tally


def test_found_cases_belong_to_a_parser() -> None:
    assert set(FOUND) <= set(PARSERS)


class Careless:
    """A parser with the faults that a run must find."""

    name = "careless"

    def __init__(self, fault: str) -> None:
        self._fault = fault

    def inputs(self, seed: int) -> Inputs:
        return Inputs(seed, [b'{"a":1}'])

    def take(self, data: bytes) -> str:
        if self._fault == "raises":
            return str(int(data.split(b":")[1].rstrip(b"}")))
        assert self._fault != "loses"
        return ""


@pytest.mark.parametrize("fault", ["raises", "loses"])
def test_a_parser_that_raises_or_loses_something_is_found_and_its_input_told(fault: str) -> None:
    with pytest.raises(Escaped, match=r"careless: [0-9]+ bytes: b'"):
        run(Careless(fault), 100, 1)


def test_the_same_seed_gives_the_same_inputs_and_another_one_others() -> None:
    def first(seed: int) -> list[bytes]:
        inputs = Inputs(seed, [b'{"symbol":"AAPL","price":1.5}', b"[1,2]"])
        return [inputs.next() for _ in range(200)]

    assert first(1) == first(1) != first(2)
    assert len(set(first(1))) > 150
