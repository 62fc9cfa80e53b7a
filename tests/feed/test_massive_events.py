from __future__ import annotations

import logging

import msgspec
import pytest

from tickstock.feed.massive_events import MinuteAggregate, Quote, SecondAggregate, StatusEvent, Trade, decode_frame
from tickstock.logs import Rejections

TRADE = (
    b'{"ev":"T","sym":"AAPL","i":"143541","x":4,"p":297.845,"s":40,"t":1781622376036,"pt":1781622376029,"q":4938312,"z":3,'
    b'"trfi":202,"trft":1781622376036,"ds":"40.0"}'
)
QUOTE = b'{"ev":"Q","sym":"AAPL","i":[604],"bx":15,"ax":12,"bp":297.83,"ap":297.86,"bs":80,"as":80,"t":1781622375952,"c":1}'
AGGREGATE = (
    b'{"ev":"A","sym":"AAPL","v":80,"av":144673,"vw":296.32,"o":296.32,"c":296.32,"h":296.32,"l":296.32,"a":296.6776,"z":80,'
    b'"s":1782124955000,"e":1782124956000,"dv":"80.0","dav":"144673.243177"}'
)
STATUS = b'{"ev":"status","status":"success","message":"subscribed to: T.AAPL"}'


@pytest.fixture
def rejections() -> Rejections:
    return Rejections(logging.getLogger("test"), "FEED")


def frame(*events: bytes) -> bytes:
    return b"[" + b",".join(events) + b"]"


def test_a_mixed_frame_is_read_in_its_order(rejections: Rejections) -> None:
    events = decode_frame(frame(TRADE, QUOTE, AGGREGATE, STATUS, AGGREGATE.replace(b'"A"', b'"AM"')), rejections)
    assert [type(event) for event in events] == [Trade, Quote, SecondAggregate, StatusEvent, MinuteAggregate]
    assert events[0] == Trade("AAPL", 297.845, 1781622376036, 40, "40.0", None, 4, "143541", 4938312, 202)
    assert events[2] == SecondAggregate("AAPL", 1782124955000, 1782124956000, 296.32, 296.32, 296.32, 296.32, 80, 144673)
    assert rejections.total == 0


def test_text_frames_are_read_like_bytes(rejections: Rejections) -> None:
    assert decode_frame(frame(TRADE).decode(), rejections) == decode_frame(frame(TRADE), rejections)


def test_numbers_documented_as_integers_may_arrive_as_floats(rejections: Rejections) -> None:
    [event] = decode_frame(
        b'[{"ev":"T","sym":"A","p":3,"s":12.0,"t":1781622376036.0,"q":5.0,"x":4.0,"c":[14.0],"z":3.5}]', rejections
    )
    assert event == Trade("A", 3.0, 1781622376036, 12, None, (14,), 4, None, 5, 0)
    assert rejections.total == 0


def test_only_the_ticker_is_required(rejections: Rejections) -> None:
    assert decode_frame(b'[{"ev":"T","sym":"KIMpL"}]', rejections) == [Trade("KIMpL")]


@pytest.mark.parametrize(
    "bad",
    [
        b'{"ev":"T"}',
        b'{"ev":"T","sym":null}',
        b'{"ev":"T","sym":"A","p":"many"}',
        b'{"ev":"T","sym":"A","p":1e999}',
        b'{"ev":"T","sym":"A","t":1.5}',
        b'{"ev":"T","sym":"A","c":"14"}',
        b'{"ev":"A","sym":"A","s":[]}',
        b'{"ev":"NOI","T":"A"}',
        b'{"ev":"LULD","sym":"A"}',
        b'{"ev":"LULD","T":"A","i":["halt"]}',
        b'{"ev":7}',
        b'{"sym":"A"}',
        b"[]",
        b"null",
        b'"T"',
    ],
)
def test_one_bad_event_is_dropped_alone(bad: bytes, rejections: Rejections) -> None:
    events = decode_frame(frame(TRADE, bad, AGGREGATE), rejections)
    assert [type(event) for event in events] == [Trade, SecondAggregate]
    assert rejections.total == 1


@pytest.mark.parametrize("bad", [b"", b"{", b"[", b'{"ev":"T"}', b"\xff\xfe", frame(TRADE)[:-5], b"null", b'["\xff"]'])
def test_a_frame_that_is_no_array_of_events_is_counted_and_dropped(bad: bytes, rejections: Rejections) -> None:
    assert decode_frame(bad, rejections) == []
    assert rejections.total == 1


def test_rejections_are_told_apart_without_letting_the_feed_choose_their_names(rejections: Rejections) -> None:
    decode_frame(frame(*(msgspec.json.encode({"ev": f"kind {n}"}) for n in range(50)), b'{"ev":"T"}'), rejections)
    assert rejections.counts == {"an event of an unknown kind": 50, "a bad T event": 1}
