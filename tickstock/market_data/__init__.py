"""What the app does with each tick: show it, store it, publish it, forward it to Redis."""
