"""An HTTP/2 link by Python's h2, over a blocking socket."""

import socket
import ssl
import struct
import time

import h2.config
import h2.connection
import h2.events

from servers import LONG

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


def with_settings(first, more):
    """h2's first bytes with more settings: hyperframe writes one octet of an id (6.1.0), and these have two."""
    assert first.startswith(PREFACE) and first[len(PREFACE) + 3:len(PREFACE) + 9] == b"\x04\0\0\0\0\0"
    payload = first[len(PREFACE) + 9:] + b"".join(struct.pack(">HI", *setting) for setting in more.items())
    return PREFACE + len(payload).to_bytes(3, "big") + first[len(PREFACE) + 3:len(PREFACE) + 9] + payload


class Link:
    """`settings` are sent in the first SETTINGS frame, beside h2's own."""

    def __init__(self, port, certificate=None, settings=None, sock=None):
        self.sock = sock or socket.create_connection(("127.0.0.1", port), LONG)
        self.scheme = "http"
        if certificate is not None:
            context = ssl.create_default_context(cafile=certificate)
            context.set_alpn_protocols(["h2"])
            self.sock = context.wrap_socket(self.sock, server_hostname="127.0.0.1")
            assert self.sock.selected_alpn_protocol() == "h2"
            self.scheme = "https"
        self.authority = f"127.0.0.1:{port}"
        config = h2.config.H2Configuration(client_side=True, header_encoding="utf-8")
        self.http2 = h2.connection.H2Connection(config)
        self.http2.initiate_connection()
        self.events = []
        self.sock.sendall(with_settings(self.http2.data_to_send(), settings or {}))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def flush(self, behind=b""):
        """Sends what h2 has to say, and bytes behind that."""
        self.sock.sendall(self.http2.data_to_send() + behind)

    def next(self, wanted):
        """The first event, kept or to come, of which `wanted` is true."""
        until = time.monotonic() + LONG
        while time.monotonic() < until:
            for number, event in enumerate(self.events):
                if wanted(event):
                    return self.events.pop(number)
            data = self.sock.recv(1 << 16)
            if not data:
                raise EOFError(f"the link has ended; left are {self.events}")
            for event in self.http2.receive_data(data):
                if isinstance(event, h2.events.DataReceived):
                    self.http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                self.events.append(event)
            self.flush()
        raise TimeoutError(f"not in {LONG} s; left are {self.events}")

    def settings(self):
        """The endpoint's settings."""
        self.next(lambda event: isinstance(event, h2.events.RemoteSettingsChanged))
        return dict(self.http2.remote_settings)

    def ask(self, *fields, end=False):
        """Opens a stream."""
        stream = self.http2.get_next_available_stream_id()
        self.http2.send_headers(stream, list(fields), end_stream=end)
        self.flush()
        return stream

    def extended_connect(self, *more, protocol="hotrod"):
        return self.ask(
            (":method", "CONNECT"), (":protocol", protocol), (":scheme", self.scheme), (":path", "/"),
            (":authority", self.authority), *more,
        )

    def answer(self, stream):
        """The fields of the answer."""
        event = self.next(
            lambda event: isinstance(event, h2.events.ResponseReceived) and event.stream_id == stream)
        return dict(event.headers)

    def ended(self, stream):
        """The code of RST_STREAM, or None where END_STREAM ended the stream."""
        ends = (h2.events.StreamReset, h2.events.StreamEnded)
        event = self.next(lambda event: isinstance(event, ends) and event.stream_id == stream)
        return getattr(event, "error_code", None)


class Tunnel:
    """The bytes of a stream."""

    def __init__(self, link, stream):
        self.link, self.stream, self.received = link, stream, b""

    def send(self, data):
        http2 = self.link.http2
        while data:
            room = min(http2.local_flow_control_window(self.stream), http2.max_outbound_frame_size)
            if room == 0:
                self.link.next(lambda event: isinstance(event, h2.events.WindowUpdated))
                continue
            http2.send_data(self.stream, data[:room])
            self.link.flush()
            data = data[room:]

    def more(self):
        event = self.link.next(
            lambda event: isinstance(event, h2.events.DataReceived) and event.stream_id == self.stream)
        self.received += event.data
