"""The one adapter that knows eventlet: giving way to other green threads, and work that must not hold them up.

Without eventlet, or when `app.py` did not patch, everything here is what plain threads need: nothing.
"""

from __future__ import annotations

import importlib
import sys
import time
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")


def is_green() -> bool:
    """Whether this process runs on eventlet's green threads."""
    patcher: Any = sys.modules.get("eventlet.patcher")
    return patcher is not None and bool(patcher.is_monkey_patched("thread"))


def give_way() -> None:
    """Let other green threads run; a loop that always has data calls this every 50 messages or 5 ms."""
    if is_green():
        time.sleep(0)


def native(module: str) -> Any:
    """A module of the standard library as it is without eventlet: for OS threads that no green thread waits for."""
    if not is_green():
        return importlib.import_module(module)
    from eventlet import patcher

    return patcher.original(module)


def in_native_thread(work: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R:
    """Run blocking work (SQLite, COPY) without blocking the hub, and return its result.

    The work gets plain data, returns plain data, uses a connection of its own, and shares no lock, pool, queue or logger
    with a green thread: each of these hung when measured.
    """
    if not is_green():
        return work(*args, **kwargs)
    from eventlet import tpool

    result: _R = tpool.execute(work, *args, **kwargs)
    return result
