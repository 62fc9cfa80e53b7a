"""A child's tie to the launcher: a pipe on standard input that closes when the launcher is gone, however it went.

The launcher starts every service with `TICKSTOCK_LIFELINE=stdin` and never writes to the pipe. Without that variable `watch` does
nothing, so a service can be started by hand as well.
"""

from __future__ import annotations

import _thread
import os
import signal
import sys
from collections.abc import Callable, Mapping

from tickstock.cooperation import native

ENVIRONMENT_NAME = "TICKSTOCK_LIFELINE"
GRACE_SECONDS = 20.0


def stop_this_process() -> None:
    """Ask this process to stop as SIGTERM does: its own handler then ends it in order."""
    if sys.platform == "win32":
        _thread.interrupt_main(signal.SIGTERM)  # there a signal to oneself ends the process at once
    else:
        os.kill(os.getpid(), signal.SIGTERM)


def watch(
    on_close: Callable[[], None] = stop_this_process,
    *,
    environment: Mapping[str, str] = os.environ,
    grace_seconds: float = GRACE_SECONDS,
) -> bool:
    """Call `on_close` once, from a native thread, when the launcher is gone; returns whether there is a launcher to watch.

    A process that is still there `grace_seconds` later is ended without further ado: nothing may be left running. Works under
    eventlet too, where `on_close` must not touch green primitives (the default does not).
    """
    if environment.get(ENVIRONMENT_NAME) != "stdin":
        return False

    def wait_for_the_end() -> None:
        try:
            while native("os").read(0, 1024):  # the launcher writes nothing; whatever comes is ignored
                pass
        except OSError:
            pass
        on_close()
        native("time").sleep(grace_seconds)
        os._exit(1)

    native("threading").Thread(target=wait_for_the_end, name="lifeline", daemon=True).start()
    return True
