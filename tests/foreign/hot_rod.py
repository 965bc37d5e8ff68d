"""As much of Hot Rod 4.1 as a few operations take: see A.4 and A.5 of spec/hotrod-over-http.md."""

import io

REQUEST, RESPONSE = 0xA0, 0xA1
VERSION = 41
PUT, GET, PING = 0x01, 0x03, 0x17
SUCCESS, NO_SUCH_KEY = 0x00, 0x02
BASIC = 1
INFINITE = 0x88


def vint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def counted(value):
    return vint(len(value)) + value


def request(message_id, operation, fields=b"", cache=b"dist"):
    no_flags, no_topology, no_types, no_parameters = b"\0", b"\0", b"\0\0", b"\0"
    head = bytes([REQUEST]) + vint(message_id) + bytes([VERSION, operation]) + counted(cache)
    return head + no_flags + bytes([BASIC]) + no_topology + no_types + no_parameters + fields


def ping(message_id):
    return request(message_id, PING)


def put(message_id, key, value):
    return request(message_id, PUT, counted(key) + bytes([INFINITE]) + counted(value))


def get(message_id, key):
    return request(message_id, GET, counted(key))


class Incomplete(Exception):
    """More bytes are needed."""


class Response:
    """The response to an operation; `rest` is what follows it."""

    def __init__(self, data, to):
        self._data = io.BytesIO(data)
        assert self._byte() == RESPONSE, data[:8].hex()
        self.message_id = self._vint()
        self.operation, self.status = self._byte(), self._byte()
        assert self._byte() == 0, "no topology was asked for"
        self.value = None
        if to is get and self.status == SUCCESS:
            self.value = self._take(self._vint())
        if to is ping:
            assert self._take(2) == b"\0\0", "no media types are configured"
            self.server_version = self._byte()
            self.operations = [self._take(2) for _ in range(self._vint())]
        self.rest = self._data.read()

    def _take(self, count):
        taken = self._data.read(count)
        if len(taken) < count:
            raise Incomplete
        return taken

    def _byte(self):
        return self._take(1)[0]

    def _vint(self):
        number = shift = 0
        while True:
            byte = self._byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                return number
            shift += 7
