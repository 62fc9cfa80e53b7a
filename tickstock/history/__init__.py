"""The definitions of the live analysis over years of bars: `python -m tickstock.history`."""
