"""What runs here and how it is set: versions, and the settings in force without their secrets."""

from __future__ import annotations

import platform
import sys
from dataclasses import fields
from typing import Any

import tickstock
from tickstock.settings import Settings, without_password
from tickstock.web.third_parties import browser_packages, python_packages

# Of the packages, those whose version decides how TickStock behaves.
SHOWN_PACKAGES = ("flask", "flask-socketio", "eventlet", "redis", "sqlalchemy", "numpy", "msgspec", "websocket-client")


def system_report(settings: Settings, now: int) -> dict[str, Any]:
    """Versions and settings of this process; those of Redis and the database are in the /health report."""
    packages = python_packages()
    return {
        "time": now,
        "versions": {
            "TickStock": tickstock.__version__,
            "Python": f"{platform.python_implementation()} {platform.python_version()}",
            "System": f"{platform.system()} {platform.release()} ({platform.machine()}, {sys.maxsize.bit_length() + 1} bit)",
        },
        "packages": {packages[name].name: packages[name].version for name in SHOWN_PACKAGES if name in packages},
        "browser": {each.name: each.version for each in browser_packages().values()},
        "settings": [shown_setting(settings, each) for each in fields(Settings)],
    }


def shown_setting(settings: Settings, each: Any) -> dict[str, Any]:
    """One setting in force. The value of a secret never leaves this function, only whether there is one."""
    value = getattr(settings, each.name)
    facts = each.metadata
    shown = ("set, not shown" if value else "not set") if facts["secret"] else _as_text(value)
    return {
        "name": facts["name"],
        "value": shown,
        "default": value == each.default,
        "secret": facts["secret"],
        "meaning": facts["meaning"],
    }


def _as_text(value: Any) -> str:
    if value is None:
        return "auto"
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return without_password(value) if isinstance(value, str) and "://" in value else str(value)
