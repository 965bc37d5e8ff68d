"""Hot Rod frames over h2: sections 3 to 9 of spec/hotrod-over-http.md."""

import struct
from dataclasses import dataclass

import h2.events

import hot_rod

SETTINGS_HOT_ROD = 0xF000
SETTINGS_INITIAL_CREDIT = 0xF001
SETTINGS_MAX_CALLS = 0xF003
SETTINGS_CONNECTION_CREDIT = 0xF004
REQUEST, RESPONSE, EVENT, CREDIT, CANCEL, NODE, TOPOLOGY, DRAIN = range(0xF0, 0xF8)
FIN, FIRST = 0x01, 0x02
MAY_HAVE_BEEN_APPLIED = 0x01
DEFAULT_URGENCY = 3
DEFAULT_CREDIT, DEFAULT_CONNECTION_CREDIT = 65_536, 1_048_576


def frame(kind, flags, stream, payload):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


@dataclass
class Node:
    mode: int
    knowledge: int
    name: str
    host: str
    port: int

    @classmethod
    def read(cls, payload):
        mode, knowledge, length = payload[:3]
        name, payload = payload[3:3 + length], payload[3 + length:]
        host, rest = payload[1:1 + payload[0]], payload[1 + payload[0]:]
        assert len(rest) == 2
        return cls(mode, knowledge, name.decode(), host.decode(), int.from_bytes(rest, "big"))


@dataclass
class Cancelled(Exception):
    code: int
    may_have_been_applied: bool


class Session:
    """A session stream. Calls are made one at a time, or many: `begin` and `finish`."""

    def __init__(self, link, *fields, settings=None):
        self.link = link
        self.settings = settings or link.settings()
        assert self.settings.get(SETTINGS_HOT_ROD, 0) >= 1, "frames are agreed"
        self.stream = link.extended_connect(*fields)
        self.last_call = 0
        self.connection_credit = self.settings.get(SETTINGS_CONNECTION_CREDIT, DEFAULT_CONNECTION_CREDIT)
        self.call_credit = {}

    def next(self, *kinds):
        """The next frame of these types on this stream (and CREDIT on stream 0)."""
        def is_it(event):
            if not isinstance(event, h2.events.UnknownFrameReceived):
                return False
            of_link = event.frame.type == CREDIT and event.frame.stream_id == 0
            return event.frame.type in kinds and (event.frame.stream_id == self.stream or of_link)
        return self.link.next(is_it).frame

    def node(self):
        return Node.read(self.next(NODE).body)

    def send(self, kind, flags, payload):
        self.link.flush(frame(kind, flags, self.stream, payload))

    def open_call(self, urgency=DEFAULT_URGENCY):
        self.last_call += 1
        self.call_credit[self.last_call] = self.settings.get(SETTINGS_INITIAL_CREDIT, DEFAULT_CREDIT)
        return self.last_call

    def begin(self, message, urgency=DEFAULT_URGENCY):
        """Sends a request whole if it fits into a frame, else in fragments as there is credit (R-36, R-38)."""
        call = self.open_call()
        largest = min(self.link.http2.max_outbound_frame_size, 16_384) - 4
        if len(message) <= largest:
            self.send(REQUEST, urgency << 4 | FIRST | FIN, struct.pack(">I", call) + message)
            return call
        flags = urgency << 4 | FIRST
        while message:
            room = min(largest, self.call_credit[call], self.connection_credit, len(message))
            if room == 0:
                self.take_credit(self.next(CREDIT))
                continue
            fragment, message = message[:room], message[room:]
            self.call_credit[call] -= room
            self.connection_credit -= room
            flags |= 0 if message else FIN
            self.send(REQUEST, flags, struct.pack(">I", call) + fragment)
            flags = 0
        return call

    def take_credit(self, credit):
        call, increment = struct.unpack(">II", credit.body)
        if credit.stream_id == 0:
            self.connection_credit += increment
        elif call in self.call_credit:
            self.call_credit[call] += increment

    def grant(self, call, increment):
        """Credit for a call, and for the connection."""
        self.send(CREDIT, 0, struct.pack(">II", call, increment))
        self.link.flush(frame(CREDIT, 0, 0, struct.pack(">II", 0, increment)))

    def cancel(self, call):
        self.send(CANCEL, 0, struct.pack(">II", call, 0x8))

    def finish(self, call):
        """The response of a call."""
        message = b""
        while True:
            got = self.next(RESPONSE, CANCEL)
            assert got.body[:4] == struct.pack(">I", call), "calls are finished in order here"
            if got.type == CANCEL:
                _, code = struct.unpack(">II", got.body)
                raise Cancelled(code, bool(got.flag_byte & MAY_HAVE_BEEN_APPLIED))
            assert bool(got.flag_byte & FIRST) == (message == b"")
            message += got.body[4:]
            if got.flag_byte & FIN:
                return message
            self.grant(call, len(got.body) - 4)

    def call(self, operation, *fields):
        """One operation, from its request to its response."""
        message_id = self.last_call + 1
        response = hot_rod.Response(self.finish(self.begin(operation(message_id, *fields))), operation)
        assert (response.message_id, response.rest) == (message_id, b"")
        return response
