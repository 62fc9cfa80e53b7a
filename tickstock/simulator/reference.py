"""What the simulated vendor's reference says of a ticker: its name, where it is listed and what it is."""

from __future__ import annotations

from typing import Any

from tickstock.simulator.companies import ARCA_TAPE, NASDAQ_TAPE, NYSE_TAPE, SECTORS, companies_of

_EXCHANGES = {NASDAQ_TAPE: "XNAS", NYSE_TAPE: "XNYS", ARCA_TAPE: "ARCX"}
_FUNDS = SECTORS.index("x")
_KNOWN = """
AAPL Apple Inc.; ABT Abbott Laboratories; ACN Accenture plc; ADBE Adobe Inc.; AIG American International Group, Inc.; AMD
Advanced Micro Devices, Inc.; AMGN Amgen Inc.; AMZN Amazon.com, Inc.; AVGO Broadcom Inc.; BA Boeing Company; BAC Bank of
America Corporation; BRK.A Berkshire Hathaway Inc. Class A; BRK.B Berkshire Hathaway Inc. Class B; C Citigroup Inc.; CAT
Caterpillar Inc.; COIN Coinbase Global, Inc.; COST Costco Wholesale Corporation; CRM Salesforce, Inc.; CSCO Cisco Systems,
Inc.; CVX Chevron Corporation; DIS Walt Disney Company; F Ford Motor Company; GE GE Aerospace; GM General Motors Company; GME
GameStop Corp.; GOOGL Alphabet Inc. Class A; GS Goldman Sachs Group, Inc.; HD Home Depot, Inc.; IBM International Business
Machines Corporation; INTC Intel Corporation; IWM iShares Russell 2000 ETF; JNJ Johnson & Johnson; JPM JPMorgan Chase & Co.;
KO Coca-Cola Company; LIN Linde plc; LLY Eli Lilly and Company; MA Mastercard Incorporated; MCD McDonald's Corporation; META
Meta Platforms, Inc.; MRK Merck & Co., Inc.; MS Morgan Stanley; MSFT Microsoft Corporation; MU Micron Technology, Inc.; NFLX
Netflix, Inc.; NKE Nike, Inc.; NOW ServiceNow, Inc.; NVDA NVIDIA Corporation; ORCL Oracle Corporation; PEP PepsiCo, Inc.; PFE
Pfizer Inc.; PG Procter & Gamble Company; PLTR Palantir Technologies Inc.; PYPL PayPal Holdings, Inc.; QCOM Qualcomm
Incorporated; QQQ Invesco QQQ Trust; SBUX Starbucks Corporation; SNDL SNDL Inc.; SOXL Direxion Semiconductor Bull 3X; SPY SPDR
S&P 500 ETF Trust; T AT&T Inc.; TMO Thermo Fisher Scientific Inc.; TSLA Tesla, Inc.; TXN Texas Instruments Incorporated; UBER
Uber Technologies, Inc.; UNH UnitedHealth Group Incorporated; V Visa Inc.; VZ Verizon Communications Inc.; WFC Wells Fargo &
Company; WMT Walmart Inc.; XOM Exxon Mobil Corporation
"""
NAMES: dict[str, str] = dict(each.split(maxsplit=1) for each in _KNOWN.replace("\n", " ").split(";"))


def reference_of(ticker: str, updated: str) -> dict[str, Any]:
    """A row of the answer; a ticker that is not among the known ones has a made-up name."""
    company = companies_of([ticker])[0]
    return {
        "ticker": ticker, "name": f"{NAMES.get(ticker, ticker)} (simulated)", "market": "stocks", "locale": "us",
        "primary_exchange": _EXCHANGES[company.tape], "type": "ETF" if company.sector == _FUNDS else "CS", "active": True,
        "currency_name": "usd", "last_updated_utc": updated,
    }  # fmt: skip
