"""As much of Hot Rod 4.1 as a few operations take: see A.4 and A.5 of spec/hotrod-over-http.md."""

import io

REQUEST, RESPONSE = 0xA0, 0xA1
VERSION = 41
PUT, GET, PING, AUTH_MECH_LIST, AUTH = 0x01, 0x03, 0x17, 0x21, 0x23
SUCCESS, NO_SUCH_KEY = 0x00, 0x02
FORCE_RETURN_VALUE = 1
ERRORS = 0x81
BASIC, HASH_DISTRIBUTION_AWARE = 1, 3
INFINITE = 0x88
NO_TYPES = b"\0\0"


def vint(number):
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def counted(value):
    return vint(len(value)) + value


def request(message_id, operation, fields=b"", cache=b"dist", *, version=VERSION, flags=0, intelligence=BASIC,
            types=NO_TYPES):
    no_topology, no_parameters = b"\0", b"\0"
    head = bytes([REQUEST]) + vint(message_id) + bytes([version, operation]) + counted(cache)
    head += vint(flags) + bytes([intelligence]) + no_topology
    return head + (types if version >= 28 else b"") + (no_parameters if version >= 40 else b"") + fields


def auth(message_id, mechanism, response=b"", **more):
    return request(message_id, AUTH, counted(mechanism) + counted(response), b"", **more)


def plain(message_id, user, password):
    return auth(message_id, b"PLAIN", b"\0%s\0%s" % (user, password))


def ping(message_id):
    return request(message_id, PING)


def put(message_id, key, value, cache=b"dist", **more):
    return request(message_id, PUT, counted(key) + bytes([INFINITE]) + counted(value), cache, **more)


def get(message_id, key, cache=b"dist", **more):
    return request(message_id, GET, counted(key), cache, **more)


class Incomplete(Exception):
    """More bytes are needed."""


class Response:
    """The response to an operation; `rest` is what follows it, `text` that of an error."""

    def __init__(self, data, to):
        self._data = io.BytesIO(data)
        assert self._byte() == RESPONSE, data[:8].hex()
        self.message_id = self._vint()
        self.operation, self.status = self._byte(), self._byte()
        assert self._byte() == 0, "no topology was asked for"
        self.value = self.text = None
        if self.status >= ERRORS:
            self.text = self._take(self._vint()).decode()
            self.rest = self._data.read()
            return
        if to is auth or to is plain:
            self.is_complete, self.challenge = self._byte(), self._take(self._vint())
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
