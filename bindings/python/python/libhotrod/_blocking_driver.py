"""The blocking driver: moves bytes between the machine and sockets, and decides nothing.

Threads follow the leader/followers pattern. One of the threads that wait for an answer is the leader: it selects on the
sockets and executes the machine's outputs for all. With its own answer it promotes another waiting thread. After KEEPER_DELAY
without a leader the keeper, a thread of the driver, leads, so that timers, listeners and members are served; it yields to the
next thread that waits.
"""

from __future__ import annotations

import selectors
import socket
import ssl
import threading
import time
from collections import deque
from typing import Any, Callable, Optional

from . import outputs
from ._fork import check, process
from ._native import Machine
from ._tls import Contexts
from .outputs import Output

READ_SIZE = 1 << 18
WRITE_SIZE = 1 << 18
# Seconds without a leader before the keeper leads.
KEEPER_DELAY = 0.02
WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Waiter:
    """A result that a thread waits for."""

    __slots__ = ("done", "value", "error", "wake_up")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: Optional[BaseException] = None
        # Locked until the thread must wake up: for its result, or to lead.
        self.wake_up = threading.Lock()
        self.wake_up.acquire()

    def finish(self, value: Any, error: Optional[BaseException]) -> None:
        if not self.done:
            self.done, self.value, self.error = True, value, error
            self.notify()

    def notify(self) -> None:
        if self.wake_up.locked():
            self.wake_up.release()


class Link:
    """A link of the machine and its socket."""

    __slots__ = ("driver", "link", "socket", "unsent", "paused", "registered")

    def __init__(self, driver: Driver, link: int) -> None:
        self.driver = driver
        self.link = link
        self.socket: Optional[socket.socket] = None
        self.unsent = b""
        self.paused = False
        self.registered = 0

    def send(self) -> None:
        """Writes until the socket would block."""
        connection = self.socket
        while connection is not None:
            data = self.unsent or self.driver.machine.transmit(self.link, WRITE_SIZE)
            if not data:
                break
            try:
                sent = connection.send(data)
            except WOULD_BLOCK:
                self.unsent = data
                break
            except OSError as error:
                return self.driver.lost(self.link, str(error))
            self.unsent = data[sent:]
        self.watch()

    def receive(self) -> None:
        """Reads until the socket would block; TLS may hold decrypted bytes that the selector does not report."""
        driver, connection = self.driver, self.socket
        while connection is not None and not self.paused:
            try:
                data = connection.recv(READ_SIZE)
            except WOULD_BLOCK:
                return
            except OSError as error:
                return driver.lost(self.link, str(error))
            if not data:
                return driver.lost(self.link, "the server closed the connection")
            driver.machine.received(driver.now(), self.link, data)
            if len(data) < READ_SIZE and not isinstance(connection, ssl.SSLSocket):
                return

    def watch(self) -> None:
        """Updates the events for which the selector watches the socket."""
        if self.socket is None:
            return
        interest = (0 if self.paused else selectors.EVENT_READ) | (selectors.EVENT_WRITE if self.unsent else 0)
        if interest != self.registered:
            selector = self.driver.selector
            if self.registered == 0:
                selector.register(self.socket, interest, self)
            elif interest == 0:
                selector.unregister(self.socket)
            else:
                selector.modify(self.socket, interest, self)
            self.registered = interest

    def unregister(self) -> None:
        if self.registered and self.socket is not None:
            self.driver.selector.unregister(self.socket)
            self.registered = 0

    def close(self) -> None:
        self.unregister()
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Driver:
    """A machine, its links, and the waiters for its outputs. `lock` guards all of it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.lock = threading.Lock()
        self.process = process()
        self.contexts = Contexts()
        self.selector = selectors.DefaultSelector()
        self.pending: dict[int, Waiter] = {}
        self.iterations: dict[int, Waiter] = {}
        self._to_end: deque[int] = deque()
        self.listeners: dict[int, Callable[[Optional[Output]], None]] = {}
        self.subscribers: list[Callable[[Optional[Output]], None]] = []
        self.started = Waiter()
        self.ended = Waiter()
        self._epoch = time.monotonic()
        self._links: dict[int, Link] = {}
        self._leading = False
        self._selecting_until: Optional[int] = None
        self._waiters: list[Waiter] = []
        self._last_lead_end = 0.0
        self._keeper_leads = False
        self._wake_receiver, self._wake_sender = socket.socketpair()
        self._wake_receiver.setblocking(False)
        self._wake_sender.setblocking(False)
        self.selector.register(self._wake_receiver, selectors.EVENT_READ, None)
        self._handlers: dict[type, Callable[[Any], None]] = {
            outputs.Connect: self._connect,
            outputs.StartTls: self._start_tls,
            outputs.Transmit: self._transmit,
            outputs.Pause: lambda output: self._set_paused(output.link, True),
            outputs.Resume: lambda output: self._set_paused(output.link, False),
            outputs.Close: self._close,
            outputs.Completed: self._completed,
            outputs.Entries: self._entries,
            outputs.Started: lambda _: self.started.finish(None, None),
            outputs.StartFailed: lambda failed: self.started.finish(None, failed.error),
            **dict.fromkeys(
                [outputs.Entry, outputs.Counter, outputs.ListenerRegistered, outputs.ListenerMoved, outputs.ListenerFailed],
                self._listen,
            ),
        }
        threading.Thread(target=self._run_keeper, name="libhotrod", daemon=True).start()

    def now(self) -> int:
        """Returns the machine's time: microseconds since the driver was created."""
        return int((time.monotonic() - self._epoch) * 1_000_000)

    def check(self) -> None:
        """Raises ClosedError in another process: a thread that does not exist there may hold the lock."""
        check(self.process)

    def end_later(self, iteration: int) -> None:
        """Ends a garbage-collected iteration in the next `pump`: its thread may hold the lock already."""
        self._to_end.append(iteration)
        self._wake_leader()

    def pump(self) -> None:
        """Executes the machine's outputs. Requires the lock."""
        machine, handlers = self.machine, self._handlers
        while self._to_end:
            machine.end_iteration(self.now(), self._to_end.popleft())
        while batch := machine.poll():
            for output in batch:
                handle: Callable[[Any], None] = handlers.get(type(output), self._publish)
                handle(output)
        if self._leading and self._selecting_until is not None:
            deadline = machine.poll_timeout()
            if deadline is not None and deadline < self._selecting_until:
                self._wake_leader()

    def wait(self, waiter: Waiter, timeout: Optional[float] = None) -> Any:
        """Waits for a result, as the leader if there is none. Requires the lock, and releases it while it waits."""
        end = None if timeout is None else time.monotonic() + timeout
        while not waiter.done:
            remaining = None if end is None else end - time.monotonic()
            if remaining is not None and remaining <= 0:
                self._promote_leader()
                raise TimeoutError
            if not self._leading:
                self._lead(waiter, remaining)
                continue
            if self._keeper_leads:
                self._wake_leader()
            self._waiters.append(waiter)
            self.lock.release()
            try:
                waiter.wake_up.acquire(timeout=-1 if remaining is None else remaining)
            except BaseException:
                # Such as KeyboardInterrupt: this thread may have been promoted to leader.
                self.lock.acquire()
                self._remove_waiter(waiter)
                self._promote_leader()
                raise
            self.lock.acquire()
            self._remove_waiter(waiter)
        self._promote_leader()
        if waiter.error is not None:
            raise waiter.error
        return waiter.value

    def _lead(self, waiter: Waiter, remaining: Optional[float]) -> None:
        self._leading = True
        try:
            while not waiter.done and not (self._keeper_leads and self._waiters):
                self._select_once(remaining)
                if remaining is not None:
                    break
        finally:
            self._leading = False
            self._last_lead_end = time.monotonic()
            self._promote_leader()

    def _promote_leader(self) -> None:
        """Wakes a waiting thread to lead, if there is no leader."""
        if not self._leading:
            waiting = next((other for other in self._waiters if not other.done), None)
            if waiting is not None:
                self._waiters.remove(waiting)
                waiting.notify()

    def _remove_waiter(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _select_once(self, remaining: Optional[float]) -> None:
        """Selects once, without the lock, and handles the ready sockets and timers."""
        deadline = self.machine.poll_timeout()
        until = None if deadline is None else max(0.0, (deadline - self.now()) / 1_000_000)
        until = min((span for span in (until, remaining) if span is not None), default=None)
        self._selecting_until = 1 << 63 if deadline is None else deadline
        self.lock.release()
        try:
            ready = self.selector.select(until)
        finally:
            self.lock.acquire()
            self._selecting_until = None
        for key, events in ready:
            link = key.data
            if link is None:
                self._drain_wake_ups()
                continue
            if events & selectors.EVENT_WRITE:
                link.send()
            if events & selectors.EVENT_READ:
                link.receive()
        deadline = self.machine.poll_timeout()
        if deadline is not None and deadline <= self.now():
            self.machine.timeout(self.now())
        self.pump()

    def _run_keeper(self) -> None:
        """Leads while no other thread does; the keeper's thread."""
        while True:
            time.sleep(KEEPER_DELAY)
            with self.lock:
                if self.ended.done:
                    return self._release()
                if self._leading or self._waiters or time.monotonic() - self._last_lead_end < KEEPER_DELAY:
                    continue
                self._keeper_leads = True
                try:
                    self._lead(self.ended, None)
                finally:
                    self._keeper_leads = False

    def _release(self) -> None:
        self.selector.close()
        self._wake_sender.close()
        self._wake_receiver.close()

    def _wake_leader(self) -> None:
        try:
            self._wake_sender.send(b"!")
        except OSError:
            # Full: the leader wakes up anyway.
            pass

    def _drain_wake_ups(self) -> None:
        try:
            while self._wake_receiver.recv(4096):
                pass
        except OSError:
            pass

    def lost(self, link: int, reason: str) -> None:
        """Reports a lost link to the machine. Requires the lock."""
        if link in self._links:
            self.machine.link_lost(self.now(), link, reason)

    def _connect(self, connect: outputs.Connect) -> None:
        link = self._links[connect.link] = Link(self, connect.link)

        def dial() -> socket.socket:
            connection = socket.create_connection((connect.host, connect.port), connect.timeout / 1_000_000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if connect.tls is None:
                return connection
            return self._secured(connection, connect.tls)

        self._establish(link, dial)

    def _secured(self, connection: socket.socket, tls: Any) -> socket.socket:
        try:
            return self.contexts.get(tls).wrap_socket(connection, server_hostname=tls.server_name)
        except BaseException:
            connection.close()
            raise

    def _start_tls(self, output: outputs.StartTls) -> None:
        link = self._links[output.link]
        link.unregister()
        plain, link.socket = link.socket, None

        def secure() -> socket.socket:
            assert plain is not None
            # The machine enforces the connect timeout; this one only ends the thread.
            plain.settimeout(60)
            return self._secured(plain, output.tls)

        self._establish(link, secure)

    def _establish(self, link: Link, work: Callable[[], socket.socket]) -> None:
        """Runs name lookup, connect and TLS handshake in a thread of their own: each may block."""

        def run() -> None:
            try:
                connection = work()
                peer = connection.getpeername()[0]
            except (OSError, ValueError) as error:
                with self.lock:
                    self.lost(link.link, str(error) or type(error).__name__)
                    self.pump()
                    return self._wake_leader()
            connection.setblocking(False)
            with self.lock:
                if link.link not in self._links:
                    return connection.close()
                link.socket = connection
                alpn = connection.selected_alpn_protocol() if isinstance(connection, ssl.SSLSocket) else None
                self.machine.set_peer(link.link, peer)
                if isinstance(connection, ssl.SSLSocket) and (certificate := connection.getpeercert(binary_form=True)):
                    self.machine.set_server_certificate(link.link, certificate)
                self.machine.connected(self.now(), link.link, alpn)
                link.watch()
                self.pump()
                self._wake_leader()

        threading.Thread(target=run, name=f"libhotrod link {link.link:x}", daemon=True).start()

    def _transmit(self, output: outputs.Transmit) -> None:
        if link := self._links.get(output.link):
            link.send()

    def _set_paused(self, number: int, paused: bool) -> None:
        if link := self._links.get(number):
            link.paused = paused
            link.watch()
            if not paused and isinstance(link.socket, ssl.SSLSocket):
                # The selector does not report bytes that TLS has decrypted already.
                link.receive()

    def _close(self, output: outputs.Close) -> None:
        if link := self._links.pop(output.link, None):
            link.close()
        if self.machine.closed:
            self._end()

    def _end(self) -> None:
        for notify in [*self.subscribers, *self.listeners.values()]:
            notify(None)
        self.subscribers.clear()
        self.listeners.clear()
        self.ended.finish(None, None)
        self._wake_leader()

    def _completed(self, output: outputs.Completed) -> None:
        if waiter := self.pending.pop(output.id, None):
            waiter.finish((output.member, output.answer), output.error)

    def _entries(self, output: outputs.Entries) -> None:
        if waiter := self.iterations.pop(output.id, None):
            waiter.finish(output.entries or [], output.error)

    def _listen(self, output: Any) -> None:
        if listener := self.listeners.get(output.listener):
            listener(output)

    def _publish(self, output: Output) -> None:
        for notify in self.subscribers:
            notify(output)

    def close(self) -> None:
        """Closes the machine. Requires the lock."""
        self.machine.close(self.now())
        self.pump()
        if self.machine.closed and not self.ended.done:
            self._end()
