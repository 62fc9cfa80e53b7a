"""Pictures are made smaller without looking different."""

from __future__ import annotations

import struct
import zlib

from benchmarks.screenshots import SIGNATURE, _chunk, _chunks, shrunk

SIDE = 64


def a_picture(colours: int) -> tuple[bytes, list[tuple[int, int, int]]]:
    """A PNG of 8-bit RGB whose rows use all five filters, and its pixels."""
    pixels = [((at % colours) & 255, at % colours >> 8, 7) for at in range(SIDE * SIDE)]
    data, above = bytearray(), bytes(SIDE * 3)
    for start in range(0, SIDE * SIDE, SIDE):
        row = bytes(value for pixel in pixels[start : start + SIDE] for value in pixel)
        method = start // SIDE % 5
        data.append(method)
        for at, value in enumerate(row):
            left, up, corner = (row[at - 3], above[at], above[at - 3]) if at >= 3 else (0, above[at], 0)
            guess = left + up - corner
            distances = [abs(guess - left), abs(guess - up), abs(guess - corner)]
            paeth = (left, up, corner)[distances.index(min(distances))]
            data.append((value - (0, left, up, (left + up) // 2, paeth)[method]) & 255)
        above = row
    header = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(data), 0)) + _chunk(b"IEND", b"")
    return SIGNATURE + body, pixels


def pixels_of(png: bytes) -> list[tuple[int, ...]]:
    """The pixels of a palette PNG without filters."""
    chunks = dict(_chunks(png))
    palette = [tuple(chunks[b"PLTE"][at : at + 3]) for at in range(0, len(chunks[b"PLTE"]), 3)]
    data = zlib.decompress(chunks[b"IDAT"])
    return [palette[index] for start in range(0, len(data), SIDE + 1) for index in data[start + 1 : start + 1 + SIDE]]


def test_a_picture_of_few_colours_is_smaller_and_the_same() -> None:
    picture, pixels = a_picture(200)
    small = shrunk(picture)
    assert len(small) < len(picture) / 3
    assert pixels_of(small) == pixels


def test_rare_colours_become_the_nearest_common_one() -> None:
    picture, pixels = a_picture(300)
    differences = [
        sum(abs(mine - theirs) for mine, theirs in zip(before, after, strict=True))
        for before, after in zip(pixels, pixels_of(shrunk(picture)), strict=True)
    ]
    assert sum(difference == 0 for difference in differences) > len(pixels) * 0.8


def test_another_kind_of_picture_is_left_alone() -> None:
    other = SIGNATURE + _chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 6, 0, 0, 0)) + _chunk(b"IEND", b"")
    assert shrunk(other) is other
