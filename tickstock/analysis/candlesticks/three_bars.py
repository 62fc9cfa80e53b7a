"""Patterns of three bars."""

from __future__ import annotations
