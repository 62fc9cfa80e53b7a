"""Inputs that once did harm, by parser: they come first in every run."""

from __future__ import annotations

DEEP = b"[" * 5_000 + b"]" * 5_000
UNENDING = b'{"x":' * 5_000
TICK = b'{"type":"market_tick","symbol":"A","price":1.0,"volume":1,"timestamp":1728300000000,"source":"s"}'
ROW = b"AAPL,%s,0,4,17,1381154400000000000,%s,1,%s,%s,3,0,%s\n"
BAR = b'{"results":[{"t":1763738940000,"o":1,"h":2,"l":1,"c":1,"v":%s}]}'

FOUND: dict[str, list[bytes]] = {
    # nested without end: a RecursionError ended the thread that read it
    "frames-t": [DEEP, UNENDING, b'[{"ev":"T","sym":"A","x":' + DEEP + b"}]", b'[{"ev":' + DEEP + b"}]"],
    "frames-a": [DEEP, b'[{"ev":"A","sym":"A","otc":' + DEEP + b"}]"],
    "feed-statuses": [b'["status",' + DEEP + b"]", b'[{"ev":"status","x":' + DEEP + b"}]"],
    "ticks": [
        DEEP, TICK[:-1] + b',"x":' + DEEP + b"}",
        TICK + b"," + TICK, b"", b",", TICK + b",",  # two messages in one counted as two, and shifted every position behind
    ],
    "statuses": [UNENDING, b'{"type":"feed_status","run":"","forwarded":99999999999999999999999}'],
    "taken": [DEEP, b'{"run":"r","position":-5}'],
    "tick-log": [
        b"run\x1fr\x1efirst\x1f1\x1ecount\x1f1\x1esource\x1fs\x1ebase\x1f0\x1emessages\x1fA\tnan\t1\t0",  # became a bar of NaN
        b"run\x1fr\x1efirst\x1f1\x1ecount\x1f9\x1esource\x1fs\x1ebase\x1f0\x1emessages\x1fA\t1.0\t1\t0",
        b"run\x1fr\x1efirst\x1f-7\x1ecount\x1f1\x1esource\x1fs\x1ebase\x1f0\x1emessages\x1fA\t1.0\t-1\t-5",
        b"run\x1fr\x1efirst\x1f1\x1ecount\x1f0\x1esource\x1fs\x1ebase\x1f0\x1emessages\x1f" + UNENDING,
    ],
    "patterns": [b'{"type":"streaming_pattern","details":' + UNENDING, DEEP],
    "results-log": [b'{"run":"r","position":1,"minute":1,"patterns":' + DEEP + b"}"],
    # a volume beyond every number: an OverflowError ended the thread that fetches
    "rest-bars": [BAR % b'"inf"', BAR % b"-1", BAR % b'"nan"', DEEP],
    "rest-splits": [b'{"results":[{"ticker":"A","execution_date":"2025-11-21","split_from":0,"split_to":"inf"}]}'],
    "rest-snapshots": [b'{"tickers":[{"ticker":"A","day":{"v":"inf"},"prevDay":{"c":-1}}]}'],
    "flat-files": [
        ROW % (b"", b"1", b"9300000000000000000", b"1", b"0"),  # beyond 64 bits: columns of different lengths
        ROW % (b"", b"1", b"1381154400000000000", b"1", b"inf"),  # an OverflowError ended the reading
        ROW % (b"12", b"1", b"1381154400000000000", b"1", b"\xc2\xb2"),
        b"A" * 200_000 + b",1\n",  # one field too long cost the whole day
    ],
    "flat-file-headers": [b"A" * 200_000 + b"\n"],
    "dotenv": [
        b"\xff\xfeT\x00", b"TICKSTOCK_PORT=\xc2\xb2\n", b"TICKSTOCK_PORT=--5\n", b"TICKSTOCK_FEED_URL=ws://[\n",
        b"REDIS_URL=redis://me:secret\xe2\x84\x80@host/0\n",  # urlsplit's own words named the password
        b"TICKSTOCK_DATA_DIR=a\x00b\n", b"TICKSTOCK_" + b"X" * 50_000 + b"=1\n",
    ],
    "csv": [b"timestamp,open,high,low,close,volume\n1763739000000,1e300,1e300,1e300,1e300,1e300\n", b"\xff"],
    "queries": [
        b"limit=0000000019999999", b"horizon=000000001" + b"9" * 30, b"limit=" + b"9" * 5_000,  # passed for 1
        b"from=00000000000000000000" + b"1" * 13, b"\xa2",
    ],
    "socketio": [
        b"", b"2", b"2[]", b"2[5]", b'2["disconnect"]', b'2["connect"]', b"2" + DEEP, b'59999999-["watch"]', b"51-[1]", b"9",
        b"4", b"31[]",
        b'2["watch",["A\\nB"]]', b'2["watch",' + b"[" * 900 + b"]" * 900 + b"]",
    ],
}  # fmt: skip
