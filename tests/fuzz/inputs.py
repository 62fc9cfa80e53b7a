"""Generated inputs: random bytes, mutated messages, and messages whose parts were exchanged for hostile ones. Seeded and fast."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from typing import TypeVar

JSON_PARTS = re.compile(rb'"(?:[^"\\]|\\.)*"|[-+.0-9A-Za-z_]+|\s+|.', re.DOTALL)
TEXT_PARTS = re.compile(rb"[-+.0-9A-Za-z_%]+|.", re.DOTALL)
_T = TypeVar("_T")
LONG = 20_000
DEEP = 3_000

# What stands where a value is expected, as JSON.
HOSTILE_JSON = (
    b"null", b"true", b"0", b"-0", b"-1", b"1", b"1.0", b"1.5", b"12.0", b"1e3", b"1e400", b"-1e400", b"1e-400", b"NaN",
    b"Infinity", b"-Infinity", b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616",
    b"-9223372036854775809", b"4102444800000", b"1763739000000000000", b"1763739059999", b"1763739000", b"999999999999999999999",
    b"0001", b"0x10", b'""', b'" "', b'"0"', b'"12.0"', b'"-1"', b'"NaN"', b'"nan"', b'"inf"', b'"1e999"', b'"\\u0000"',
    b'"\\ud800"', b'"\\udc00\\ud800"', b'"\\n"', b'"\\t"', b'"\\r\\n"', b'"\\u202e"', b'"\\u2028"', b'"\\x"', b'"\x00"',
    b'"\xff\xfe"', b'"\xc3("', b'"\xed\xa0\x80"', b'"\xf0\x9f\x92\xb8"', b'"<script>alert(1)</script>"', b'"<b>&\\""',
    b'"AAPL"', b'"T"', b'"A"', b'"2026-02-30"', b'"2026-11-22"', b"[]", b"{}", b"[[]]", b"[1]", b'{"":null}', b'[null,"x",{}]',
    b"[1,2,3]", b'{"a":{"b":{"c":[]}}}', b'"unterminated', b"//", b"'x'", b"\xef\xbb\xbf",
)  # fmt: skip
HUGE_JSON = (
    b"[" * DEEP, b"[" * DEEP + b"]" * DEEP, b'{"a":' * DEEP + b"1" + b"}" * DEEP, b'"' + b"x" * LONG + b'"', b"9" * LONG,
    b"1." + b"0" * LONG, b"[" + b"0," * LONG + b"0]", b'"' + b"\\u0041" * LONG + b'"', b" " * LONG,
)  # fmt: skip
# What stands where text is expected: fields of a CSV, parameters, lines of a file.
HOSTILE_TEXT = (
    b"", b"0", b"-0", b"-1", b"1", b"1.0", b"1.5", b"1e3", b"1e400", b"nan", b"NaN", b"inf", b"-inf", b"Infinity", b"1_000",
    b"0x10", b"9223372036854775807", b"9223372036854775808", b"18446744073709551616", b"9300000000000000000", b"4102444800000",
    b"253402300799999", b"253402300800000", b"00000000001", b"000000000100000000", b"\xc2\xb2", b"\xd9\xa3", b"\xef\xbc\x91",
    b"2026-11-20", b"2026-11-20T09:30", b"2026-11-01T01:30", b"2026-03-08T02:30", b"2026-11-20T14:30Z", b"0001-01-01",
    b"9999-12-31T23:59:59", b"2026-02-30", b"2016-12-31T23:59:60Z", b"AAPL", b"BRK.B", b"*", b"<b>", b"&lt;", b"\"", b"\"\"",
    b"'", b"`", b";", b"--", b"\x00", b"\xff", b"\xc3(", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xae", b"\xe2\x80\xa8",
    b"\r", b"\n", b"\r\n", b"\t", b"\x0b", b"\x1c", b"\\", b"%00", b"%", b"%zz", b"%ff", b"%0d%0a", b"+", b"&", b"=", b"#", b",",
    b"://", b"[", b"]", b"@", b"user:secret@[", b"1min", b"auto", b"true", b"default", b"-", b"WyIxIl0", b"Wy0xLCJhIl0",
)  # fmt: skip
HUGE_TEXT = (
    b"9" * LONG,
    b"A" * LONG,
    b"0." + b"0" * LONG,
    b",",
    b"," * LONG,
    b"=" * LONG,
    b"%41" * LONG,
    b"\n" * LONG,
    b'"' * 999,
)


class Inputs:
    """An endless, seeded sequence of inputs that come from some valid examples.

    Args:
        examples: valid inputs; the more kinds of them, the better.
        parts: what an example is cut into.
        hostile: what takes the place of a part.
        huge: the same, rarely, because it costs time.
    """

    def __init__(
        self,
        seed: int | str,
        examples: Sequence[bytes],
        parts: re.Pattern[bytes] = JSON_PARTS,
        hostile: Sequence[bytes] = HOSTILE_JSON,
        huge: Sequence[bytes] = HUGE_JSON,
    ) -> None:
        self._chance = random.Random(seed)
        self._random = self._chance.random
        self._examples = examples
        self._cut = [parts.findall(example) for example in examples]
        self._values = [_values_in(each) or [0] for each in self._cut]
        self._known = [part for each in self._cut for part in each if len(part) > 1] or [b""]
        self._hostile = hostile
        self._huge = huge

    def next(self) -> bytes:
        """The next input."""
        kind = self._random()
        if kind < 0.05:
            return self._chance.randbytes(self._below(80))
        if kind < 0.08:
            return self._one(self._examples)
        if kind < 0.22:
            return self._changed_bytes()
        if kind < 0.7:
            return self._changed_values()
        return self._changed_parts()

    def _below(self, limit: int) -> int:
        return int(self._random() * limit)

    def _one(self, among: Sequence[_T]) -> _T:
        return among[int(self._random() * len(among))]

    def _piece(self) -> bytes:
        kind = self._random()
        if kind < 0.002:
            return self._one(self._huge)
        return self._one(self._hostile if kind < 0.8 else self._known)

    def _changed_bytes(self) -> bytes:
        data = bytearray(self._one(self._examples))
        while True:
            at, kind = self._below(len(data) + 1), self._random()
            if kind < 0.35 and at < len(data):
                data[at] = self._below(256)
            elif kind < 0.5:
                del data[at : at + 1 + self._below(8)]
            elif kind < 0.6:
                del data[at:]
            elif kind < 0.75:
                data[at:at] = self._chance.randbytes(1 + self._below(4))
            elif kind < 0.9:
                data[at:at] = data[at : at + self._below(40)]
            else:
                other = self._one(self._examples)
                data[at:] = other[self._below(len(other) + 1) :]
            if self._random() < 0.6:
                return bytes(data)

    def _changed_values(self) -> bytes:
        """An input that can be read, with other values in it."""
        number = self._below(len(self._cut))
        parts = self._cut[number].copy()
        while parts:
            parts[self._one(self._values[number])] = self._piece()
            if self._random() < 0.7:
                break
        return b"".join(parts)

    def _changed_parts(self) -> bytes:
        parts = self._cut[self._below(len(self._cut))].copy()
        while True:
            at, kind = self._below(len(parts)), self._random()
            if not parts or kind < 0.1:
                parts.insert(at, self._piece())
            elif kind < 0.75:
                while len(parts[at]) == 1 and self._random() < 0.8:  # rather a value than what stands between two
                    at = self._below(len(parts))
                parts[at] = self._piece()
            elif kind < 0.83:
                del parts[at : at + 1 + self._below(4)]  # a key with its value, often
            elif kind < 0.93:
                parts[at:at] = parts[at : at + 1 + self._below(6)]  # a key twice
            else:
                other = self._below(len(parts))
                parts[at], parts[other] = parts[other], parts[at]
            if self._random() < 0.6:
                return b"".join(parts)


def _values_in(parts: list[bytes]) -> list[int]:
    """The places of values: words and numbers, but not the names before a colon or an equals sign."""
    ends = [*parts[1:], b""]
    return [at for at, part in enumerate(parts) if (len(part) > 1 or part.isalnum()) and ends[at] not in (b":", b"=")]


def text_inputs(seed: int | str, examples: Sequence[bytes]) -> Inputs:
    """Inputs for what is not JSON."""
    return Inputs(seed, examples, TEXT_PARTS, HOSTILE_TEXT, HUGE_TEXT)
