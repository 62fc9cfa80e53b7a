from __future__ import annotations

import json

import hiredis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.market_data.stand_ins import T0, status, tick, ticks
from tickstock.contract import (
    STATUS_CHANNEL,
    TICKS_CHANNEL,
    FeedStatus,
    MarketTick,
    decode,
    decode_log_entry,
    log_tick_line,
)
from tickstock.feed.feed_items import FeedTick
from tickstock.market_data.tick_batch import Batch, BatchBuilder, LogId, command

RUN = "0123456789ab"


def commands_of(wire: bytes) -> list[list[bytes]]:
    reader = hiredis.Reader()
    reader.feed(wire)
    found = []
    while (one := reader.gets()) is not False:
        found.append(one)
    return found


def published(batch: Batch) -> list[tuple[bytes, bytes]]:
    batch.id = LogId(T0, batch.last)
    wire, count = batch.commands(60_000)
    commands = commands_of(wire)
    assert commands[0][:2] == [b"XADD", b"tickstock:market:ticks:journal"]
    assert len(commands) == count
    return [(one[1], one[2]) for one in commands if one[0] == b"PUBLISH"]


def fields_of(batch: Batch) -> dict[bytes, bytes]:
    return {name.encode(): value.encode() for name, value in batch.entry().items()}


def test_a_tick_is_published_byte_for_byte_as_in_the_contract() -> None:
    builder = BatchBuilder(RUN, "massive")
    builder.add_ticks(1, [FeedTick("AAPL", 257.01, 150, 1728300000000, False)])
    assert published(builder.seal()) == [
        (
            TICKS_CHANNEL.encode(),
            b'{"type":"market_tick","symbol":"AAPL","price":257.01,"volume":150,"timestamp":1728300000000,"source":"massive"}',
        )
    ]


@pytest.mark.parametrize(
    ("price", "written"),
    [(257.0, "257.0"), (0.4, "0.4"), (812345.6789, "812345.6789"), (0.00015, "0.00015"), (1e-05, "1e-05"), (1e16, "1e+16")],
)
def test_a_price_is_written_so_that_it_reads_back_exactly(price: float, written: str) -> None:
    builder = BatchBuilder(RUN, "massive")
    builder.add_ticks(1, [tick(0, price=price)])
    ((_, message),) = published(builder.seal())
    assert f'"price":{written},'.encode() in message
    assert decode(message, MarketTick).price == price


@pytest.mark.parametrize("symbol", ["BRK.B", 'A"<b>', "Ä€𝄞", "a b", "{x", "\\u0041"])
def test_any_printable_symbol_survives_the_message_and_the_log(symbol: str) -> None:
    builder = BatchBuilder(RUN, "massive")
    builder.add_ticks(1, [tick(0, symbol)])
    batch = builder.seal()
    ((_, message),) = published(batch)
    assert decode(message, MarketTick).symbol == symbol
    (logged,) = decode_log_entry(fields_of(batch)).messages
    assert isinstance(logged, MarketTick)
    assert logged.symbol == symbol


def test_an_entry_of_the_log_reads_back_as_what_was_published_in_its_order() -> None:
    builder = BatchBuilder(RUN, "replay")
    builder.add_ticks(11, ticks(11, 13))
    builder.add_status(13, status(13, source="replay"))
    builder.add_ticks(14, ticks(14, 15))
    batch = builder.seal()
    entry = decode_log_entry(fields_of(batch))
    assert (entry.run, entry.first, entry.count, entry.source) == (RUN, 11, 5, "replay")
    sent = [decode(data, FeedStatus if channel == STATUS_CHANNEL.encode() else MarketTick) for channel, data in published(batch)]
    assert sent == entry.messages
    assert [type(each) for each in sent] == [MarketTick] * 3 + [FeedStatus] + [MarketTick] * 2


def test_the_lines_are_those_of_the_contract() -> None:
    builder = BatchBuilder(RUN, "massive")
    builder.add_ticks(1, [tick(0), tick(25, price=1.5)])
    assert builder.seal().log.split("\n") == [log_tick_line("AAPL", "257.01", 150, 0), log_tick_line("AAPL", "1.5", 150, 25)]


def test_a_tick_takes_at_most_40_bytes_of_the_log() -> None:
    builder = BatchBuilder(RUN, "massive")
    builder.add_ticks(1, [FeedTick("BRK.A", 812345.67, 1000, T0 + number * 7, False) for number in range(100)])
    assert len(builder.seal().log) <= 100 * 40


ANY_TICK = st.builds(
    FeedTick,
    st.sampled_from(["AAPL", "BRK.B", "Ä"]),
    st.floats(1e-6, 1e8, allow_nan=False),
    st.integers(0, 10**12),
    st.integers(T0 - 10**9, T0 + 10**9),
    st.just(False),
)


@given(st.lists(st.one_of(ANY_TICK, st.just("status")), min_size=1, max_size=20))
def test_a_batch_that_waited_in_compact_form_sends_the_same_bytes(content: list[FeedTick | str]) -> None:
    builder = BatchBuilder(RUN, "massive")
    position = 0
    for each in content:
        if isinstance(each, FeedTick):
            position += 1
            builder.add_ticks(position, [each])
        else:
            builder.add_status(position, status(position))
    batch = builder.seal()
    batch.id = LogId(T0, batch.last)
    fresh = batch.commands(60_000)
    size = batch.size
    batch.shrink()
    assert batch.size < size
    assert batch.commands(60_000) == fresh


def test_the_latest_status_is_set_in_the_same_transaction() -> None:
    builder = BatchBuilder(RUN, "massive")
    builder.add_status(0, status(0, kind="connecting"))
    builder.add_ticks(1, ticks(1, 2))
    builder.add_status(2, status(2))
    batch = builder.seal()
    batch.id = LogId(T0, 2)
    last = commands_of(batch.commands(60_000)[0])[-1]
    assert last[:2] == [b"SET", b"tickstock:market:status:latest"]
    assert json.loads(last[2])["forwarded"] == 2


def test_an_id_is_made_of_the_time_and_the_last_position() -> None:
    assert str(LogId(T0, 57810)) == f"{T0}-57810"
    assert LogId.parse(b"12-34") == LogId(12, 34) < LogId(13, 1)
    assert command("SET", "k", 1) == b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1\r\n1\r\n"
