#!/usr/bin/env python3
"""An HTTP CONNECT proxy for tests: prints its port, serves until its input ends, and then how many tunnels it made."""

import socket
import sys
import threading

tunnels = []


def copy(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def serve(client):
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(4096)
    method, target, _ = head.split(b"\r\n")[0].decode().split()
    host, port = target.rsplit(":", 1)
    server = socket.create_connection((host, int(port)))
    tunnels.append(target)
    assert method == "CONNECT"
    client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
    threading.Thread(target=copy, args=(server, client), daemon=True).start()
    copy(client, server)


def accept(listener):
    while True:
        threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
threading.Thread(target=accept, args=(listener,), daemon=True).start()
sys.stdin.read()
print(f"{len(tunnels)} tunnels")
