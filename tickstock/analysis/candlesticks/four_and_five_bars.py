"""Patterns of four and five bars."""

from __future__ import annotations
