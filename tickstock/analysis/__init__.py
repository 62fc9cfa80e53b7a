"""Indicators, patterns and alerts over arrays: no clock, no Redis, no database."""
