"""TickStockPL: from the log of ticks to bars, patterns, indicators and alerts."""
