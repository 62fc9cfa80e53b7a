"""The client side of Massive: its WebSocket, its events as ticks, its REST interface."""
