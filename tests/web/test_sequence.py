"""The numbers of signals between the web process and a page, however the way between them behaves.

The server's side is the real `LivePage`; the page's side is the real `store.js`, run by Node. Between them hypothesis loses,
repeats and delays messages, cuts connections, restarts the web process and reloads the page. The model is the list of events.
"""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.web.node import NO_NODE, node_program
from tests.web.services import REPOSITORY, a_pattern, an_alert
from tickstock.settings import Settings
from tickstock.web.application import create_app
from tickstock.web.event_log import EventLog, Signal

BAR = 1_728_300_000_000
WAIT_MS = 6000  # longer than a page waits for an answer
NODE = node_program()

pytestmark = pytest.mark.skipif(NODE is None, reason=NO_NODE)


class PageProgram:
    """`store.js` in a Node process."""

    def __init__(self) -> None:
        assert NODE is not None
        program = REPOSITORY / "tests" / "web" / "browser" / "page_store.mjs"
        self._process = subprocess.Popen(
            [NODE, "--no-warnings", str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def say(self, event: str, message: Any, now: int) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"event": event, "message": message, "now": now}) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


class Server:
    """A web process with one connection; restarted, it knows what is stored."""

    def __init__(self, folder: Path, kept: int, stored: list[Signal]) -> None:
        settings = Settings(data_dir=folder, async_mode="threading", calendar="always_open", symbols=("AAPL",))
        self._app = create_app(settings)
        services = self._app.extensions["tickstock"]
        self._socketio = services.socketio
        self.live = services.live
        self.live.log = self.live.delivery._log = EventLog(self.live.log.epoch, kept=kept)
        for signal in stored:
            self.live.signal(signal)
        self.client: Any = None
        self.asked: list[int] = []

    def connect(self) -> None:
        self.client = self._socketio.test_client(self._app)
        (browser,) = self.live.delivery.browsers.values()
        self.asked = [browser.flow._awaited]
        deliver = self._socketio.server._send_eio_packet

        def listen(connection: str, packet: Any) -> None:
            if found := re.match(r"2(\d+)\[", packet.data):
                self.asked.append(int(found[1]))
            deliver(connection, packet)

        self._socketio.server._send_eio_packet = listen

    def disconnect(self) -> None:
        if self.client is not None:
            self.client.disconnect()
            self.client = None

    def acknowledge(self) -> None:
        while self.asked:
            self._socketio.server._handle_eio_message(self.client.eio_sid, f"3{self.asked.pop(0)}[]")

    def sent(self) -> list[tuple[str, Any]]:
        return [(packet["name"], packet["args"][0]) for packet in self.client.get_received()]


class Way(RuleBasedStateMachine):
    """What can happen between a page and its server."""

    page: PageProgram
    folder: Path

    @initialize(kept=st.sampled_from([20_000, 20_000, 5]))
    def open(self, kept: int) -> None:
        self.kept = kept
        self.now = BAR
        self.events: list[Signal] = []  # the model: all that was ever signalled, in the order of signalling
        self.latest: dict[str, str] = {}  # id: its last state
        self.page.say("reload", None, self.now)
        self.seen_before: set[str] = set()
        self.way: list[tuple[str, Any]] = []  # from server to page, not yet delivered
        self.questions: list[dict[str, Any]] = []
        self.server = Server(self.folder, kept, [])
        self.server.connect()

    def _signal(self, signal: Signal) -> None:
        state = getattr(signal, "state", "")
        before = self.latest.get(signal.id)
        if before is None or (before == "forming" and state != "forming"):
            self.latest[signal.id] = state
            self.events.append(signal)
        self.server.live.signal(signal)

    @rule(count=st.integers(1, 8))
    def signals_come(self, count: int) -> None:
        for _ in range(count):
            number = len(self.events)
            self._signal(an_alert(f"S{number}", BAR, detection_timestamp=BAR + number))

    @rule(number=st.integers(0, 5), state=st.sampled_from(["forming", "confirmed", "void"]))
    def a_pattern_changes(self, number: int, state: str) -> None:
        self._signal(a_pattern(f"P{number}", "HeadShoulders", BAR, state=state, detection_timestamp=BAR + len(self.events)))

    def _pick_up(self) -> None:
        if self.server.client is not None:
            self.way += self.server.sent()

    def _hear(self, event: str, message: Any) -> None:
        if event in ("snapshot", "streaming_pattern", "indicator_alert", "events", "feed_status"):
            answer = self.page.say(event, message, self.now)
            if answer["asks"]:
                self.questions.append(answer["asks"])

    @rule(count=st.integers(1, 30), again=st.booleans())
    def deliver(self, count: int, again: bool) -> None:
        self._pick_up()
        arrived, self.way = self.way[:count], self.way[count:]
        for event, message in arrived:
            self._hear(event, message)
            if again and event != "snapshot":
                self._hear(event, message)

    @rule(data=st.data())
    def lose_one(self, data: st.DataObject) -> None:
        self._pick_up()
        losable = [index for index, (event, _) in enumerate(self.way) if event != "snapshot"]
        if losable:
            del self.way[data.draw(st.sampled_from(losable))]

    @rule()
    def ask(self) -> None:
        if self.server.client is not None and self.questions:
            self.server.client.emit("since", self.questions.pop(0))

    @rule()
    def lose_the_questions(self) -> None:
        self.questions.clear()

    @rule(acknowledges=st.booleans())
    def a_second_passes(self, acknowledges: bool) -> None:
        self.now += 1000
        if self.server.client is not None:
            if acknowledges:
                self.server.acknowledge()
            self.server.live.send_states()

    @rule(missed=st.integers(0, 8), connects=st.booleans())
    def the_connection_is_cut(self, missed: int, connects: bool) -> None:
        self._cut()
        self.signals_come(missed)
        if connects:
            self.server.connect()

    def _cut(self) -> None:
        self.server.disconnect()
        self.way.clear()
        self.questions.clear()

    @rule()
    def it_connects_again(self) -> None:
        if self.server.client is None:
            self.server.connect()

    @rule(missed=st.integers(0, 8), in_order=st.booleans(), connects=st.booleans())
    def the_web_process_is_restarted(self, missed: int, in_order: bool, connects: bool) -> None:
        self._cut()
        self.signals_come(missed)
        stored = {signal.id: signal for signal in self.events}  # the database holds the last state of each
        self.server.disconnect()
        again = sorted(stored.values(), key=lambda signal: signal.detection_timestamp, reverse=not in_order)
        self.server = Server(self.folder, self.kept, list(again))
        if connects:
            self.server.connect()

    @rule()
    def the_page_is_reloaded(self) -> None:
        self._cut()
        self.page.say("reload", None, self.now)
        self.seen_before.clear()

    @invariant()
    def nothing_is_invented_nothing_is_twice_and_no_final_state_changes(self) -> None:
        look = self.page.say("look", None, self.now)
        ids = [each for each, _ in look["holds"]]
        assert len(ids) == len(set(ids))
        assert set(ids) <= set(self.latest)
        assert self.seen_before <= set(ids), "a signal has disappeared"
        self.seen_before = set(ids)
        for each, state in look["holds"]:
            assert state == self.latest[each] or state == "forming"
        assert look["shown"] <= 2 * len(ids), "told again"  # forming, and then its final state

    def teardown(self) -> None:
        """In the end nothing is lost any more, and the page holds what the server holds."""
        if not hasattr(self, "server"):
            return
        if self.server.client is None:
            self.server.connect()
        for _ in range(4):
            self.now += WAIT_MS
            self.server.acknowledge()
            self.server.live.send_states()
            while True:
                self._pick_up()
                if not (self.way or self.questions):
                    break
                for event, message in self.way:
                    self._hear(event, message)
                self.way.clear()
                for question in self.questions:
                    self.server.client.emit("since", question)
                self.questions.clear()
                self.server.acknowledge()
        look = self.page.say("look", None, self.now)
        log = self.server.live.log
        held = {entry.signal.id: getattr(entry.signal, "state", "") for entry in log.entries(log.oldest)}
        shown = dict(look["holds"])
        assert look["complete"] == log.seq
        assert held.items() <= shown.items(), "missing"
        if self.kept > len(self.events):
            assert shown == self.latest
        self.server.disconnect()


@pytest.fixture
def way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Way]]:
    monkeypatch.setattr("tickstock.web.live.SNAPSHOT_EVENTS", 2)  # so that nearly all must be asked for
    monkeypatch.setattr("tickstock.web.delivery.ANSWER_BYTES", 2000)
    program = PageProgram()
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        yield type("WayOfThisTest", (Way,), {"page": program, "folder": Path(folder)})
    program.close()


def test_a_page_ends_with_exactly_the_servers_events(way: type[Way], thorough: bool) -> None:
    run_state_machine_as_test(
        way,
        settings=settings(
            max_examples=600 if thorough else 40, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_what_was_missed_over_a_restart_arrives_also_when_all_numbers_are_other_ones(way: type[Way]) -> None:
    walk = way()
    Way.open(walk, 20_000)
    walk.signals_come(8)
    walk.deliver(30, False)
    walk.the_web_process_is_restarted(5, False, True)
    walk.teardown()


def test_the_pages_own_tests_of_its_sequence_pass() -> None:
    assert NODE is not None
    done = subprocess.run(
        [NODE, "--no-warnings", "--test", "tests/web/browser/"], cwd=REPOSITORY, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert re.search(r"# pass [1-9]", done.stdout)
