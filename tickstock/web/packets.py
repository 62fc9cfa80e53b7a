"""Socket.IO packets of browsers: what is no event of ours is counted and dropped before it can raise, wait or fill memory."""

from __future__ import annotations

from typing import Any

from socketio.packet import ACK, BINARY_ACK, BINARY_EVENT, CONNECT, DISCONNECT, EVENT, Packet

from tickstock.logs import Rejections

_RESERVED = ("connect", "disconnect")


def checked_packets(rejections: Rejections) -> type[Packet]:
    """The class of packets for python-socketio (its `serializer`).

    Pages send text alone; a packet with attachments would keep the server waiting for them, however many it announces.
    """

    class CheckedPacket(Packet):  # type: ignore[misc]
        def __init__(self, *arguments: Any, encoded_packet: Any = None, **more: Any) -> None:
            super().__init__(*arguments, encoded_packet=encoded_packet, **more)
            if encoded_packet is not None and not encoded_packet:
                self.decode(encoded_packet)  # the library takes an empty packet for none

        def decode(self, encoded_packet: Any) -> int:
            try:
                fault = _fault_of(self, super().decode(encoded_packet))
            except Exception:  # whatever a parser makes of rubbish: ValueError, TypeError, IndexError, RecursionError
                fault = "a packet that cannot be read"
            if fault:
                rejections.add(fault, encoded_packet)
                # An acknowledgement of nothing is what python-socketio passes over.
                self.packet_type, self.namespace, self.id = ACK, None, None
                self.data: list[Any] = []
            return 0

    return CheckedPacket


def _fault_of(packet: Any, attachments: int) -> str:
    """What makes a packet unusable; empty when nothing does."""
    if packet.packet_type in (BINARY_EVENT, BINARY_ACK) or attachments:
        return "a packet with attachments"
    if packet.namespace not in (None, "/"):
        return "a packet for another namespace"
    if packet.packet_type == EVENT:
        data = packet.data
        if not (isinstance(data, list) and data and isinstance(data[0], str) and data[0] not in _RESERVED):
            return "an event without a proper name"
        return ""
    if packet.packet_type == ACK:
        return "" if packet.id is not None else "an acknowledgement without a number"
    return "" if packet.packet_type in (CONNECT, DISCONNECT) else "a packet of a kind that browsers do not send"
