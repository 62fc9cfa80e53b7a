"""All services together: started one after the other, watched, stopped in the reverse order."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from launcher.console import Console
from launcher.errors import LauncherError
from launcher.processes import how_it_ended
from launcher.service import Service, ServicePlan
from launcher.stop_request import StopRequest

_WATCH_SECONDS = 0.2
_SETTINGS_EXIT_CODE = 2  # a service says so when its settings are wrong: starting it again cannot help


class Supervisor:
    """Keeps services running until a stop is asked for."""

    def __init__(self, console: Console, stop: StopRequest, logs: Path) -> None:
        self.services: list[Service] = []
        self._console = console
        self._stop = stop
        self._logs = logs

    def start(self, plan: ServicePlan) -> Service:
        """Start a service and keep it running from now on. Raises LauncherError when there is no such program."""
        service = Service(plan, self._console, self._logs)
        self.services.append(service)
        service.start()
        return service

    def wait_until(self, ready: Callable[[], bool], service: Service, seconds: float, advice: str) -> None:
        """Wait until `ready` says so, looking after every service meanwhile.

        Raises:
            LauncherError: it took longer than `seconds`, or the service says that its settings are wrong.
            Stopped: a stop was asked for.
        """
        deadline = time.monotonic() + seconds
        while not ready() or service.exit_code is not None:
            if time.monotonic() > deadline:
                raise LauncherError(
                    f"{service.plan.name} was not ready within {seconds:g} s. {advice} Its log: {service.log_file}"
                )
            self.look_after_all()
            self._stop.pause(0.05)

    def look_after_all(self) -> None:
        """Start again what has died.

        Raises:
            LauncherError: a service says that its settings are wrong.
        """
        for service in self.services:
            if service.exit_code == _SETTINGS_EXIT_CODE:
                raise LauncherError(f"{service.plan.name} cannot run with these settings; its words stand above.", 2)
            service.look_after()

    def watch(self) -> None:
        """Keep everything running. Raises as `look_after_all` does, and Stopped when that is asked for."""
        while True:
            self.look_after_all()
            self._stop.pause(_WATCH_SECONDS)

    def stop_all(self) -> bool:
        """Stop the services in the reverse order of their start; returns whether each one ended well.

        A further request (a second Ctrl+C) ends the remaining ones at once.
        """
        patience = self._stop.count + 1
        ended_well = True
        spare = 0.0  # what one does not need of its time, the next one may take
        for service in reversed(self.services):
            began = time.monotonic()
            allowed = service.plan.seconds_to_stop + spare
            ended_well = self._stop_one(service, allowed, patience) and ended_well
            spare = max(0.0, allowed - (time.monotonic() - began))
        return ended_well

    def _stop_one(self, service: Service, seconds: float, patience: int) -> bool:
        service.ask_to_stop()
        deadline = time.monotonic() + seconds
        while service.process is not None and service.exit_code is None:
            at_once = self._stop.count >= patience
            if at_once or time.monotonic() > deadline:
                why = "at once, as asked" if at_once else f"after {seconds:.0f} s"
                self._console.say(f"{service.plan.name} did not stop in order; ended {why}. Its log: {service.log_file}")
                service.kill()
                service.finish()
                return False
            time.sleep(0.02)
        if service.finish():
            return True
        self._console.say(f"{service.plan.name} had failed ({how_it_ended(service.exit_code or 0)}). Its log: {service.log_file}")
        return False
