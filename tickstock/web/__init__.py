"""The web side of TickStockAppV2: pages, JSON, Socket.IO."""
