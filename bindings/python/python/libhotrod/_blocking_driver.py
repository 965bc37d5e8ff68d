"""The blocking driver: moves bytes between the machine and sockets, and decides nothing.

Any number of threads submit. One of those that wait leads: it waits for the sockets, and does what the machine says, for
all. When its own answer is there another one leads. While nobody waits for a moment a thread of the driver's own leads, so
that timers, listeners and members are looked after; it makes way as soon as somebody comes.
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

READ = 1 << 18
PIECE = 1 << 18
# The driver's own thread leads after nobody has for so long, in seconds.
IDLE = 0.02
RETRY = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Waiter:
    """A thread that waits for something."""

    __slots__ = ("done", "value", "error", "wake")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: Optional[BaseException] = None
        # Held until there is something to do: the answer is there, or it is to lead.
        self.wake = threading.Lock()
        self.wake.acquire()

    def finish(self, value: Any, error: Optional[BaseException]) -> None:
        if not self.done:
            self.done, self.value, self.error = True, value, error
            self.rouse()

    def rouse(self) -> None:
        if self.wake.locked():
            self.wake.release()


class Link:
    """One connection of the machine's."""

    __slots__ = ("driver", "link", "socket", "unsent", "paused", "registered")

    def __init__(self, driver: Driver, link: int) -> None:
        self.driver = driver
        self.link = link
        self.socket: Optional[socket.socket] = None
        self.unsent = b""
        self.paused = False
        self.registered = 0

    def send(self) -> None:
        """Writes what the socket takes."""
        connection = self.socket
        while connection is not None:
            data = self.unsent or self.driver.machine.transmit(self.link, PIECE)
            if not data:
                break
            try:
                sent = connection.send(data)
            except RETRY:
                self.unsent = data
                break
            except OSError as error:
                return self.driver.lost(self.link, str(error))
            self.unsent = data[sent:]
        self.watch()

    def receive(self) -> None:
        """Reads what there is; TLS may have more than the socket shows."""
        driver, connection = self.driver, self.socket
        while connection is not None and not self.paused:
            try:
                data = connection.recv(READ)
            except RETRY:
                return
            except OSError as error:
                return driver.lost(self.link, str(error))
            if not data:
                return driver.lost(self.link, "the server closed the connection")
            driver.machine.received(driver.now(), self.link, data)
            if len(data) < READ and not isinstance(connection, ssl.SSLSocket):
                return

    def watch(self) -> None:
        """Has the selector look for what can be done."""
        if self.socket is None:
            return
        wanted = (0 if self.paused else selectors.EVENT_READ) | (selectors.EVENT_WRITE if self.unsent else 0)
        if wanted != self.registered:
            selector = self.driver.selector
            if self.registered == 0:
                selector.register(self.socket, wanted, self)
            elif wanted == 0:
                selector.unregister(self.socket)
            else:
                selector.modify(self.socket, wanted, self)
            self.registered = wanted

    def forget(self) -> None:
        if self.registered and self.socket is not None:
            self.driver.selector.unregister(self.socket)
            self.registered = 0

    def close(self) -> None:
        self.forget()
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Driver:
    """A machine, its links, and those who wait for what it says. `lock` guards all of it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.lock = threading.Lock()
        self.process = process()
        self.contexts = Contexts()
        self.selector = selectors.DefaultSelector()
        self.pending: dict[int, Waiter] = {}
        self.iterations: dict[int, Waiter] = {}
        self._abandoned: deque[int] = deque()
        self.listeners: dict[int, Callable[[Optional[Output]], None]] = {}
        self.subscribers: list[Callable[[Optional[Output]], None]] = []
        self.started = Waiter()
        self.ended = Waiter()
        self._epoch = time.monotonic()
        self._links: dict[int, Link] = {}
        self._leading = False
        self._selecting_until: Optional[int] = None
        self._waiters: list[Waiter] = []
        self._last_led = 0.0
        self._own_leads = False
        self._rouse_out, self._rouse_in = socket.socketpair()
        self._rouse_out.setblocking(False)
        self._rouse_in.setblocking(False)
        self.selector.register(self._rouse_out, selectors.EVENT_READ, None)
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
        threading.Thread(target=self._keep, name="libhotrod", daemon=True).start()

    def now(self) -> int:
        """The time as the machine counts it."""
        return int((time.monotonic() - self._epoch) * 1_000_000)

    def check(self) -> None:
        """Refuses another process: its locks may be held by threads that it does not have."""
        check(self.process)

    def abandon(self, iteration: int) -> None:
        """Has an iteration ended that is collected: whoever has the lock may be just where it is."""
        self._abandoned.append(iteration)
        self._rouse_leader()

    def pump(self) -> None:
        """Does what the machine says. Under the lock."""
        machine, handlers = self.machine, self._handlers
        while self._abandoned:
            machine.end_iteration(self.now(), self._abandoned.popleft())
        while said := machine.poll():
            for output in said:
                handle: Callable[[Any], None] = handlers.get(type(output), self._happened)
                handle(output)
        if self._leading and self._selecting_until is not None:
            wanted = machine.poll_timeout()
            if wanted is not None and wanted < self._selecting_until:
                self._rouse_leader()

    def wait(self, waiter: Waiter, timeout: Optional[float] = None) -> Any:
        """Waits for an answer, and leads if nobody does. Under the lock, which it lets go of meanwhile."""
        end = None if timeout is None else time.monotonic() + timeout
        while not waiter.done:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                self._pass_on()
                raise TimeoutError
            if not self._leading:
                self._lead(waiter, left)
                continue
            if self._own_leads:
                self._rouse_leader()
            self._waiters.append(waiter)
            self.lock.release()
            try:
                waiter.wake.acquire(timeout=-1 if left is None else left)
            except BaseException:
                # An interrupt from the keyboard: it may have been asked to lead.
                self.lock.acquire()
                self._forget(waiter)
                self._pass_on()
                raise
            self.lock.acquire()
            self._forget(waiter)
        self._pass_on()
        if waiter.error is not None:
            raise waiter.error
        return waiter.value

    def _lead(self, waiter: Waiter, left: Optional[float]) -> None:
        self._leading = True
        try:
            while not waiter.done and not (self._own_leads and self._waiters):
                self._turn(left)
                if left is not None:
                    break
        finally:
            self._leading = False
            self._last_led = time.monotonic()
            self._pass_on()

    def _pass_on(self) -> None:
        """Has another thread lead that waits, if nobody does."""
        if not self._leading:
            waiting = next((other for other in self._waiters if not other.done), None)
            if waiting is not None:
                self._waiters.remove(waiting)
                waiting.rouse()

    def _forget(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _turn(self, left: Optional[float]) -> None:
        """Waits once for sockets or time, without the lock, and does what comes of it."""
        deadline = self.machine.poll_timeout()
        until = None if deadline is None else max(0.0, (deadline - self.now()) / 1_000_000)
        until = min((span for span in (until, left) if span is not None), default=None)
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
                self._drain_rouser()
                continue
            if events & selectors.EVENT_WRITE:
                link.send()
            if events & selectors.EVENT_READ:
                link.receive()
        deadline = self.machine.poll_timeout()
        if deadline is not None and deadline <= self.now():
            self.machine.timeout(self.now())
        self.pump()

    def _keep(self) -> None:
        """The driver's own thread."""
        while True:
            time.sleep(IDLE)
            with self.lock:
                if self.ended.done:
                    return self._release()
                if self._leading or self._waiters or time.monotonic() - self._last_led < IDLE:
                    continue
                self._own_leads = True
                try:
                    self._lead(self.ended, None)
                finally:
                    self._own_leads = False

    def _release(self) -> None:
        self.selector.close()
        self._rouse_in.close()
        self._rouse_out.close()

    def _rouse_leader(self) -> None:
        try:
            self._rouse_in.send(b"!")
        except OSError:
            # It is full of reasons to wake up.
            pass

    def _drain_rouser(self) -> None:
        try:
            while self._rouse_out.recv(4096):
                pass
        except OSError:
            pass

    def lost(self, link: int, why: str) -> None:
        """A link is gone. Under the lock."""
        if link in self._links:
            self.machine.link_lost(self.now(), link, why)

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
        link.forget()
        plain, link.socket = link.socket, None

        def secure() -> socket.socket:
            assert plain is not None
            # The machine gives it up in time; this only ends the thread.
            plain.settimeout(60)
            return self._secured(plain, output.tls)

        self._establish(link, secure)

    def _establish(self, link: Link, work: Callable[[], socket.socket]) -> None:
        """Names are looked up and TLS is negotiated by a thread of its own: both may take long."""

        def run() -> None:
            try:
                connection = work()
                peer = connection.getpeername()[0]
            except (OSError, ValueError) as error:
                with self.lock:
                    self.lost(link.link, str(error) or type(error).__name__)
                    self.pump()
                    return self._rouse_leader()
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
                self._rouse_leader()

        threading.Thread(target=run, name=f"libhotrod link {link.link:x}", daemon=True).start()

    def _transmit(self, output: outputs.Transmit) -> None:
        if link := self._links.get(output.link):
            link.send()

    def _set_paused(self, number: int, paused: bool) -> None:
        if link := self._links.get(number):
            link.paused = paused
            link.watch()
            if not paused and isinstance(link.socket, ssl.SSLSocket):
                # What TLS has decrypted already the selector does not show.
                link.receive()

    def _close(self, output: outputs.Close) -> None:
        if link := self._links.pop(output.link, None):
            link.close()
        if self.machine.closed:
            self._end()

    def _end(self) -> None:
        for hear in [*self.subscribers, *self.listeners.values()]:
            hear(None)
        self.subscribers.clear()
        self.listeners.clear()
        self.ended.finish(None, None)
        self._rouse_leader()

    def _completed(self, output: outputs.Completed) -> None:
        if waiter := self.pending.pop(output.id, None):
            waiter.finish((output.member, output.answer), output.error)

    def _entries(self, output: outputs.Entries) -> None:
        if waiter := self.iterations.pop(output.id, None):
            waiter.finish(output.entries or [], output.error)

    def _listen(self, output: Any) -> None:
        if listener := self.listeners.get(output.listener):
            listener(output)

    def _happened(self, output: Output) -> None:
        for hear in self.subscribers:
            hear(output)

    def close(self) -> None:
        """Has the machine end. Under the lock."""
        self.machine.close(self.now())
        self.pump()
        if self.machine.closed and not self.ended.done:
            self._end()
