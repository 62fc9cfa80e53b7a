"""The /health report: every stage of a tick's path with its age, its counters and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import tickstock

if TYPE_CHECKING:
    from tickstock.web.application import WebServices

Stage = dict[str, Any]

_WORST = ("down", "degraded", "waiting", "ok", "off")
_PL_STATUS = {"healthy": "ok", "degraded": "degraded", "waiting": "waiting", "stopped": "down", "down": "down"}


def health_report(services: WebServices, now: int) -> dict[str, Any]:
    """The stages of a tick's path in their order; `status` is the worst of them."""
    stages: dict[str, Mapping[str, Any]] = {
        **services.market.stages(),
        "redis": services.redis.stage(),
        "tickstock_pl": _tickstock_pl(services, now),
        "results_subscriber": _subscriber(services, now),
        "database": _database(services),
        "browsers": _browsers(services),
    }
    found = {str(stage["status"]) for stage in stages.values()}
    worst = next(status for status in _WORST if status in found)
    return {
        "status": "ok" if worst == "off" else worst,
        "issues": [f"{name}: {stage['detail']}" for name, stage in stages.items() if stage["status"] in ("down", "degraded")],
        "time": now,
        "app": {"version": tickstock.__version__, "started": services.started},
        "session": services.live.clock.message(),
        "stages": stages,
    }


def _tickstock_pl(services: WebServices, now: int) -> Stage:
    message = services.live.health.message(now)
    issues = message.get("issues", [])
    return {
        "status": _PL_STATUS.get(message["status"], "degraded"),
        "detail": "; ".join(issues) or message["status"],
        "age_ms": message["age_ms"],
        "restarts": services.live.health.restarts,
        "report": {name: value for name, value in message.items() if name not in ("type", "age_ms")},
    }


def _subscriber(services: WebServices, now: int) -> Stage:
    subscriber = services.subscriber
    connected = subscriber.connected_since
    return {
        "status": "ok" if connected is not None else "down",
        "detail": "subscribed" if connected is not None else "no connection to Redis; trying again",
        "age_ms": None if subscriber.last_message is None else now - subscriber.last_message,
        "connected_since": connected,
        "reconnects": subscriber.reconnects,
        "received": dict(subscriber.received),
        "rejected": dict(subscriber.rejections.counts),
    }


def _database(services: WebServices) -> Stage:
    stage = services.database.stage()
    if stage["status"] == "down":
        return stage
    keeper = services.keeper
    problem = keeper.problem or services.watchlists.problem
    return {**stage, "last_problem": problem, "symbols_without_whole_day": keeper.earlier.missing}


def _browsers(services: WebServices) -> Stage:
    live = services.live
    return {
        "status": "ok",
        "detail": f"{live.watch_sets.clients} connected",
        **live.delivery.figures(),
        "events": live.log.seq,
        "rejected": dict(live.rejections.counts),
        "requests_rejected": dict(services.bad_requests.counts),
    }
