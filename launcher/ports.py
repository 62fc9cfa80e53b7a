"""TCP ports: is one free, which one is free, and what to say when it is not."""

from __future__ import annotations

import errno
import os
import secrets
import socket
import sys

from launcher.errors import LauncherError

_LOOPBACK = ("127.0.0.1", "::1")
_OWN_PORTS = range(20_000, 32_768)  # below what Linux, macOS and Windows give to outgoing connections


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether nothing listens on a port of this machine and it can be listened on.

    Raises:
        OSError: `host` is not an address of this machine, or the port needs more rights.
    """
    # Asked as a client first: macOS lets one listen on 127.0.0.1 beside a listener on all addresses, and browsers find that one.
    addresses = _LOOPBACK if host in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "::", "") else (host,)  # noqa: S104
    if any(_answers(address, port) for address in addresses):
        return False
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        if os.name == "posix":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that are just ending do not count
        try:
            probe.bind((host, port))
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def _answers(address: str, port: int) -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except OSError:
        return False
    return True


def unused_port() -> int:
    """A port of loopback that nothing holds, for a program that is about to be started.

    Raises:
        OSError: none of a hundred could be had.
    """
    # Asked for any port, the system gives one from the range of outgoing connections, and one of those could take it before the
    # program does. Random, as two may look at the same time; from the system's randomness, as others may have seeded Python's.
    for port in secrets.SystemRandom().sample(_OWN_PORTS, 100):
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as problem:
                refused = problem
            else:
                return port
    raise refused


def require_free(port: int, host: str) -> None:
    """Make sure that the web server can have its port.

    Raises:
        LauncherError: it cannot; the text names the port, the setting and the flag.
    """
    try:
        if is_free(port, host):
            return
    except OSError as problem:
        if problem.errno == errno.EACCES:
            raise LauncherError(f"Port {port} needs administrator rights. Take one from 1024 on: {_another(port)}", 2) from None
        raise LauncherError(f"TICKSTOCK_HOST {host} cannot be listened on: {problem.strerror or problem}.", 2) from None
    hint = ""
    if sys.platform == "darwin" and port == 5000:
        hint = " On macOS the AirPlay Receiver holds port 5000; System Settings, General, AirDrop & Handoff switches it off."
    raise LauncherError(f"Port {port} is in use by another program, which is left alone.{hint} {_another(port)}")


def _another(port: int) -> str:
    other = port + 1 if 1024 <= port < 65535 else 5001
    return f"Choose another with --port {other} or TICKSTOCK_PORT={other}."
