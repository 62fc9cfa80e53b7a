"""Who trades on the simulated market: price level, liveliness, sector and listing of each ticker.

The hard cases of the simulated day, each on a symbol of its own (New York times):

| symbol | case |
|---|---|
| GME | a gapper: opens 8 to 15 % away from the previous close, up or down |
| COIN | halted from 10:32 to 10:47; re-opens with one large print (condition 28), 3 to 5 % away |
| IBM | an auction after the close: one large print at 16:01:04 (condition 19) |
| SNDL | a $0.40 stock: prices in steps of $0.0001 |
| BRK.A | an $800,000 stock: a round lot is one share, and trades are rare |
| LIN | odd lots only from 11:10 to 11:30: volume without a price |
| WMT | a bad print at 13:17: one trade 9 % too high, with nothing in it that says so |
| PLTR | fractional sizes in its odd lots (`ds`) |
| F, NOW | a split of 1:10 before 2026-11-19, and one of 4:1 before 2026-11-20 (`splits.py`) |
"""

from __future__ import annotations

from dataclasses import dataclass

from tickstock.simulator.randomness import key_of, uniforms

GAPPER, HALTED, LATE_AUCTION, ODD_LOTS_ONLY, BAD_PRINT, FRACTIONAL = "GME", "COIN", "IBM", "LIN", "WMT", "PLTR"

# ticker price sector; in the order of their activity. Sectors: t technology, c consumer, f finance, h health, e energy
# and materials, i industry, x a fund that follows the market.
_KNOWN = """
TSLA 341 c, NVDA 188 t, SPY 662 x, AMD 237 t, AAPL 268 t, SOXL 41 x, QQQ 601 x, PLTR 175 t, AMZN 232 c, INTC 37.4 t, BAC 52.8 f,
GOOGL 286 t, MSFT 497 t, META 612 t, F 13.1 c, GME 23.2 c, COIN 268 f, MU 231 t, AVGO 347 t, IWM 236 x, NFLX 1104 c, T 25.6 t,
PFE 24.9 h, SNDL 0.40 c, UBER 91.4 c, WFC 85.3 f, C 99.8 f, XOM 117 e, CSCO 77.2 t, ORCL 216 t, WMT 102 c, JPM 305 f, KO 71.3 c,
DIS 105 c, BA 189 i, GM 69.7 c, NKE 63.8 c, SBUX 84.2 c, PYPL 62.4 f, CRM 237 t, QCOM 169 t, VZ 41.2 t, MRK 92.6 h, CVX 153 e,
V 332 f, UNH 321 h, HD 341 c, PG 147 c, JNJ 199 h, LLY 1022 h, COST 912 c, MA 539 f, ABT 128 h, PEP 146 c, TXN 159 t, NOW 846 t,
GE 302 i, CAT 556 i, IBM 297 t, MCD 306 c, AMGN 337 h, ADBE 327 t, ACN 242 t, TMO 578 h, GS 785 f, MS 162 f, AIG 78.4 f,
LIN 427 e, BRK.B 504 f, BRK.A 812345.67 f
"""
_NASDAQ = """
TSLA NVDA AMD AAPL QQQ PLTR AMZN INTC GOOGL MSFT META COIN MU AVGO NFLX SNDL CSCO WMT SBUX PYPL QCOM PEP TXN COST AMGN ADBE LIN
"""
SECTORS = "tcfheix"
NASDAQ_TAPE, NYSE_TAPE, ARCA_TAPE = 3, 1, 2


@dataclass(frozen=True)
class Company:
    """What the market needs to know of one ticker."""

    ticker: str
    price: float  # dollars; the level around which the days move
    sector: int  # index into SECTORS
    tape: int  # 1 NYSE, 2 Arca and American, 3 Nasdaq
    rank: int  # 0 is the most active
    volatility: float  # standard deviation of a minute's log return at midday
    market_share: float  # part of the variance that is the market's

    @property
    def lot(self) -> int:
        """Shares of a round lot, by the tiers of November 2025."""
        return 100 if self.price < 250 else 40 if self.price < 1000 else 10 if self.price < 10_000 else 1


def _known() -> dict[str, Company]:
    found = {}
    for rank, line in enumerate(_KNOWN.replace("\n", " ").split(",")):
        ticker, price, sector = line.split()
        fund = sector == "x"
        tape = NASDAQ_TAPE if ticker in _NASDAQ.split() else ARCA_TAPE if fund else NYSE_TAPE
        lively = {"SOXL": 2.4, "GME": 2.2, "COIN": 2.2, "SNDL": 2.5, "PLTR": 1.8, "TSLA": 1.6, "AMD": 1.5, "NVDA": 1.4}.get(
            ticker, 1.0
        )
        found[ticker] = Company(
            ticker, float(price), SECTORS.index(sector), tape, rank, 0.00055 * (0.6 if fund else lively), 0.85 if fund else 0.3
        )
    return found


KNOWN = _known()


def companies_of(tickers: list[str]) -> list[Company]:
    """The company of each ticker; one that is not among the known ones is made up from its name."""
    made = []
    for index, ticker in enumerate(tickers):
        if ticker in KNOWN:
            made.append(KNOWN[ticker])
            continue
        first, second, third, fourth = (float(each[0]) for each in uniforms(key_of("company", ticker).reshape(1), 4))
        price = round(float(5.0 * 60.0**first), 2)
        tape = (NYSE_TAPE, ARCA_TAPE, NASDAQ_TAPE)[int(second * 3)]
        made.append(Company(ticker, price, int(third * 6), tape, index, 0.0004 + 0.0008 * fourth, 0.2 + 0.2 * second))
    return made


def made_up_tickers(count: int) -> list[str]:
    """S0001, S0002 ...: names for a market of any size."""
    return [f"S{number:04d}" for number in range(1, count + 1)]
