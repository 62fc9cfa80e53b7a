from __future__ import annotations

import errno
import socket
import sys

import pytest

from launcher import ports
from launcher.errors import LauncherError


def test_a_free_port_passes_and_a_port_in_use_is_named_with_its_setting_and_flag() -> None:
    port = ports.unused_port()
    ports.require_free(port, "127.0.0.1")
    with socket.create_server(("127.0.0.1", port)), pytest.raises(LauncherError) as caught:
        ports.require_free(port, "127.0.0.1")
    for words in (f"Port {port} is in use", "TICKSTOCK_PORT", "--port"):
        assert words in str(caught.value)


def test_a_listener_on_all_addresses_is_in_the_way_of_loopback() -> None:
    with socket.create_server(("0.0.0.0", 0)) as listener:
        assert not ports.is_free(listener.getsockname()[1])


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="no IPv6 here")
def test_a_listener_on_ipv6_is_in_the_way_since_browsers_may_find_it_at_localhost() -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 loopback here")
    with listener:
        assert not ports.is_free(listener.getsockname()[1])


def test_on_macos_airplay_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ports, "is_free", lambda port, host: False)
    with pytest.raises(LauncherError, match="AirPlay Receiver"):
        ports.require_free(5000, "127.0.0.1")
    with pytest.raises(LauncherError) as caught:
        ports.require_free(5001, "127.0.0.1")
    assert "AirPlay" not in str(caught.value)


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(LauncherError, match=r"TICKSTOCK_HOST 192\.0\.2\.1"):
        ports.require_free(ports.unused_port(), "192.0.2.1")


def test_a_connection_that_is_just_ending_does_not_hold_a_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)):
            accepted, _ = listener.accept()
            accepted.close()  # the server's side closes first, and keeps the port in TIME_WAIT
    assert ports.is_free(port)


def test_an_unused_port_is_none_that_an_outgoing_connection_could_be_given() -> None:
    first_outgoing = 32_768  # on Linux; 49,152 elsewhere
    with socket.create_server(("127.0.0.1", ports.unused_port())) as taken:
        ports_given = {ports.unused_port() for _ in range(500)}
        assert taken.getsockname()[1] not in ports_given
    assert max(ports_given) < first_outgoing


def test_no_port_to_be_had_is_an_error_and_no_endless_search(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(ports, "_OWN_PORTS", [taken.getsockname()[1]] * 100)
        with pytest.raises(OSError) as caught:
            ports.unused_port()
    assert caught.value.errno == errno.EADDRINUSE
