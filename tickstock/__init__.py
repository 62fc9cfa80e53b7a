"""TickStock: a real-time US-stock scanner. The README's architecture section is the map of this package."""

__version__ = "0.1.0"
