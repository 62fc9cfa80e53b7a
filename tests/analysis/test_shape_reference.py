"""Chart patterns of random walks are those of a plain reading of their definitions, event for event."""

from __future__ import annotations

import pytest

from tests.analysis.drawn_shapes import shapes_together
from tests.analysis.series import MINUTE, START, random_walk
from tests.analysis.shape_reference import (
    find_breakouts,
    find_doubles_and_triples,
    find_flags,
    find_head_and_shoulders,
    find_triangles_and_wedges,
)

REFERENCES = {
    find_head_and_shoulders: {"HeadShoulders", "InverseHeadShoulders"},
    find_doubles_and_triples: {"DoubleTop", "DoubleBottom", "TripleTop", "TripleBottom"},
    find_triangles_and_wedges: {
        "AscendingTriangle", "DescendingTriangle", "SymmetricalTriangle", "RisingWedge", "FallingWedge",
    },
    find_flags: {"BullFlag", "BearFlag"},
    find_breakouts: {"RangeBreakout"},
}  # fmt: skip
# Prices on a grid that binary numbers hold exactly, so that a close on a line is on it however the line is computed.
WALKS = [random_walk(seed, 1_200, price=128.0, tick=1 / 64, ticks_a_step=(2.0, 4.0, 7.0)[seed % 3]) for seed in range(36)]


@pytest.fixture(scope="module")
def hits():
    return shapes_together(WALKS)


@pytest.mark.parametrize("reference", REFERENCES)
def test_random_walks_show_what_the_plain_reading_finds(reference, hits):
    expected = [(lane, *event) for lane, one in enumerate(WALKS) for event in reference(one)]
    found = sorted(
        (
            hit.lane,
            (hit.bar_timestamp - START) // MINUTE,
            hit.pattern,
            hit.state,
            *((int(part) - START) // MINUTE for part in hit.key.split("-")),
        )
        for hit in hits
        if hit.pattern in REFERENCES[reference]
    )
    assert found == sorted(expected)
    assert {event[2] for event in found} == REFERENCES[reference]
