"""The README's pictures of the pages, taken from the real system on the simulated market.

`python -m benchmarks.screenshots [--folder docs/images] [--seconds 480]` starts Redis, the simulator, TickStockPL and the app in
a folder of their own, waits until the page shows live signals, prices and changes, and photographs it in an installed Chromium.
Nothing on them is made up: they show what the page showed. Last line: `screenshots: N pictures in FOLDER, the largest K KB`.
"""

from __future__ import annotations

import argparse
import struct
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks import chromium
from benchmarks.running_system import ROOT, RunningSystem

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SIMULATED_MARKET = {"TICKSTOCK_FEED": "simulated", "TICKSTOCK_FEED_CLOCK": "wall", "TICKSTOCK_CALENDAR": "always_open"}
SIGNATURE = b"\x89PNG\r\n\x1a\n"
KEPT_CHUNKS = (b"IHDR", b"PLTE", b"IDAT", b"IEND")
LIVE_SIGNALS = 4
LIVE = """(least) => {
  const text = (selector) => document.querySelector(selector)?.textContent ?? "";
  const live = document.querySelectorAll(".signal:not([data-origin]) .chip").length;
  const hasChanges = !document.querySelector("#watch-view").offsetParent || // on a phone, behind another tab
    (text("td.change") !== "" && !text("#watch-note").includes("no Chg%"));
  return text("#feed-state") === "Active" && text("#health-state") === "Healthy" && live >= least && hasChanges;
}"""

HEALTHY = """() => document.querySelector("#overall").textContent === "Healthy"
  && [...document.querySelectorAll(".stage .state")].every((state) => state.textContent === "OK")"""
LISTED = "() => document.querySelectorAll('#main tbody tr').length > 10"
READY = {"/dashboard": LIVE, "/status": HEALTHY, "/patterns": LISTED}
CARD = "document.querySelector('.signal:has([data-id*=Double], [data-id*=Triangle], [data-id*=Head], [data-id*=Flag])')?.click()"
CARD_OF_ANY = "document.querySelector('#card').open || document.querySelector('.signal').click()"


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture: its file name, the screen it is taken on, and the page."""

    name: str
    width: int
    height: int
    theme: str
    path: str = "/dashboard"
    address: str = ""  # what follows the path
    steps: tuple[str, ...] = ()  # done in the page before it is taken


PICTURES = (
    Picture("live-streaming-light.png", 1400, 900, "light", address="?symbol=NVDA&timeframe=1min"),
    Picture("live-streaming-dark.png", 1400, 900, "dark", address="?symbol=AAPL&timeframe=5min"),
    Picture("live-streaming-phone.png", 390, 844, "dark"),
    Picture("signal-card.png", 1400, 900, "light", steps=(CARD, CARD_OF_ANY)),
    Picture("patterns.png", 1400, 900, "light", "/patterns"),
    Picture("health.png", 1400, 1240, "light", "/status"),
)


def main() -> None:
    """Take the pictures."""
    options = _options()
    options.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, RunningSystem(Path(folder), (), SIMULATED_MARKET) as system:
        print(f"waiting for {LIVE_SIGNALS} live signals on http://127.0.0.1:{system.port}/dashboard")
        sizes = list(take_pictures(system, options.folder, options.seconds))
    print(f"screenshots: {len(sizes)} pictures in {options.folder}, the largest {max(sizes) / 1024:.0f} KB")


def take_pictures(system: RunningSystem, folder: Path, seconds: float) -> Iterator[int]:
    """Open the page on every screen, wait until all of them are live, and write them; yields bytes per picture.

    Raises:
        SystemExit: there is no Chromium.
    """
    from playwright.sync_api import sync_playwright

    program = chromium.chromium_program()
    if program is None:
        raise SystemExit(f"screenshots need a browser: {chromium.HOW_TO_GET_ONE}")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=program, args=list(chromium.ARGUMENTS))
        pages = [
            (picture, _open(browser, picture, f"http://127.0.0.1:{system.port}{picture.path}{picture.address}"))
            for picture in PICTURES
        ]
        for picture, page in pages:
            page.wait_for_function(READY[picture.path], arg=LIVE_SIGNALS, timeout=seconds * 1000)
        for picture, page in pages:
            for step in picture.steps:
                page.evaluate(step)
        pages[0][1].wait_for_timeout(5000)  # so that no row is still marked as news, and the card has its bars
        for picture, page in pages:
            data = shrunk(page.screenshot())
            (folder / picture.name).write_bytes(data)
            print(f"{picture.name}: {picture.width} x {picture.height}, {len(data) / 1024:.0f} KB")
            yield len(data)
        browser.close()


def _open(browser: Browser, picture: Picture, url: str) -> Page:
    screen: Any = {"width": picture.width, "height": picture.height}
    theme: Any = picture.theme
    page = browser.new_context(viewport=screen, color_scheme=theme).new_page()
    page.goto(url)
    return page


# --- a smaller PNG ----------------------------------------------------------------------------------------------------


def shrunk(png: bytes) -> bytes:
    """A picture of 8-bit RGB as a smaller PNG: a palette of its 256 commonest colours (the nearest one for the others).

    A page of text has few colours besides the shades at the edges of letters. Any other kind of PNG comes back unchanged.
    """
    chunks = dict[bytes, bytes]()
    for kind, data in _chunks(png):
        chunks[kind] = chunks.get(kind, b"") + data
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if (depth, colour, interlaced) != (8, 2, 0):
        return png
    pixels = [
        bytes(row[at : at + 3]) for row in _unfiltered(zlib.decompress(chunks[b"IDAT"]), width) for at in range(0, width * 3, 3)
    ]
    palette = [colour for colour, _ in Counter(pixels).most_common(256)]
    index = {colour: palette.index(_nearest(colour, palette)) for colour in set(pixels)}
    rows = b"".join(b"\0" + bytes(index[pixel] for pixel in pixels[at : at + width]) for at in range(0, len(pixels), width))
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    small = SIGNATURE + b"".join(
        _chunk(kind, data)
        for kind, data in zip(KEPT_CHUNKS, (header, b"".join(palette), zlib.compress(rows, 9), b""), strict=True)
    )
    return min(small, png, key=len)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(SIGNATURE)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        yield png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _unfiltered(data: bytes, width: int) -> Iterator[bytearray]:
    """The rows of RGB bytes, with PNG's filters (none, sub, up, average, Paeth) undone."""
    length = width * 3
    above = bytearray(length)
    for start in range(0, len(data), length + 1):
        method, row = data[start], bytearray(data[start + 1 : start + 1 + length])
        for at in range(length):
            left, up, corner = (row[at - 3], above[at], above[at - 3]) if at >= 3 else (0, above[at], 0)
            row[at] = (row[at] + (0, left, up, (left + up) // 2, _paeth(left, up, corner))[method]) & 255
        yield row
        above = row


def _paeth(left: int, up: int, corner: int) -> int:
    guess = left + up - corner
    return min((left, up, corner), key=lambda each: abs(guess - each))


def _nearest(colour: bytes, palette: list[bytes]) -> bytes:
    return min(palette, key=lambda each: sum((mine - theirs) ** 2 for mine, theirs in zip(colour, each, strict=True)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.screenshots", description=__doc__.splitlines()[0] if __doc__ else None
    )
    parser.add_argument("--folder", type=Path, default=ROOT / "docs" / "images", help="where the pictures go (docs/images)")
    parser.add_argument("--seconds", type=float, default=480, help="how long to wait for live signals at most (480)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
