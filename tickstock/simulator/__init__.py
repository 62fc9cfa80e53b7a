"""The stand-in for Massive: a process that speaks its protocol over a synthetic market or a recorded day."""
