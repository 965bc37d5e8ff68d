"""The blocking driver: moves bytes between the machine and sockets, and decides nothing.

Threads follow the leader/followers pattern. One of the threads that wait for an answer is the leader: it selects on the
sockets and executes the machine's outputs for all. With its own answer it promotes another waiting thread. After KEEPER_DELAY
without a leader the keeper, a thread of the driver, leads, so that timers, listeners and members are served; it yields to the
next thread that waits.

A signal handler may raise an exception between any two bytecodes of the main thread. So the lock is taken by `with` only, which
the interpreter does not interrupt; outputs leave their queue after they were executed; a link whose bytes an exception may have
lost is given up; and the keeper replaces a leader that an exception took away. A handler may also call the client: while its
thread waits the call works, and inside of the client it raises MisuseError.
"""

from __future__ import annotations

import logging
import selectors
import socket
import ssl
import threading
import time
from collections import deque
from typing import Any, Callable, Optional, cast

from . import outputs
from ._connect import connect as dial_first
from ._fork import check, process
from ._native import Machine
from ._tls import Contexts, explained
from .errors import ClosedError, MisuseError, UnreachableError
from .outputs import Output

LOG = logging.getLogger("libhotrod")

READ_SIZE = 1 << 18
WRITE_SIZE = 1 << 18
# Seconds without a leader before the keeper leads.
KEEPER_DELAY = 0.02
WOULD_BLOCK = (BlockingIOError, InterruptedError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Waiter:
    """A result that a thread waits for."""

    __slots__ = ("done", "value", "error", "wake_up", "thread", "outer")

    def __init__(self) -> None:
        self.done = False
        self.value: Any = None
        self.error: Optional[BaseException] = None
        # Locked until the thread must wake up: for its result, or to lead.
        self.wake_up = threading.Lock()
        self.wake_up.acquire()
        # The leading thread, and the call that a signal handler interrupted to lead for its own.
        self.thread = 0
        self.outer: Optional[Waiter] = None

    def finish(self, value: Any, error: Optional[BaseException]) -> None:
        if not self.done:
            self.value, self.error, self.done = value, error, True
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
            try:
                if self.registered == 0:
                    selector.register(self.socket, interest, self)
                elif interest == 0:
                    selector.unregister(self.socket)
                else:
                    selector.modify(self.socket, interest, self)
            except (KeyError, ValueError, OSError) as error:
                # Such as no room for a further socket, or what an exception of a signal handler left.
                return self.driver.lost(self.link, f"the socket can't be watched: {error}")
            self.registered = interest

    def unregister(self) -> None:
        if self.socket is not None:
            try:
                self.driver.selector.unregister(self.socket)
            except (KeyError, ValueError):
                # Not registered.
                pass
            self.registered = 0

    def close(self) -> None:
        self.unregister()
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class Driver:
    """A machine, its links, and the waiters for its outputs. `lock` guards all of it; `check` comes before the lock."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.default_cache = machine.default_cache
        self.lock = threading.RLock()
        self._is_inside: Callable[[], bool] = cast(Any, self.lock)._is_owned
        self.process = process()
        self.contexts = Contexts(machine.tls)
        self.selector = selectors.DefaultSelector()
        self.pending: dict[int, Waiter] = {}
        self.iterations: dict[int, Waiter] = {}
        self._to_end: deque[int] = deque()
        self._to_release: deque[int] = deque()
        self.listeners: dict[int, Callable[[Optional[Output]], None]] = {}
        self.subscribers: list[Callable[[Optional[Output]], None]] = []
        self.started = Waiter()
        self.ended = False
        self._closers: list[Waiter] = []
        self._epoch = time.monotonic()
        self._links: dict[int, Link] = {}
        # Outputs that are not executed yet, and the one whose execution has begun.
        self._outputs: list[Output] = []
        self._begun: Optional[Output] = None
        # False if an exception may have left outputs in the machine.
        self._is_pumped = True
        self._leader: Optional[Waiter] = None
        self._selecting_until: Optional[int] = None
        self._waiters: list[Waiter] = []
        self._last_lead_end = 0.0
        self._keeper = self.closer()
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
        try:
            threading.Thread(target=self._run_keeper, name="libhotrod", daemon=True).start()
        except RuntimeError as error:
            # No thread is left, or the interpreter is shutting down.
            self._release()
            raise UnreachableError(f"no thread can be started for the client: {error}") from error

    def now(self) -> int:
        """Returns the machine's time: microseconds since the driver was created."""
        return int((time.monotonic() - self._epoch) * 1_000_000)

    def check(self) -> None:
        """Raises ClosedError in another process, where a thread that does not exist may hold the lock, and MisuseError if
        the call interrupted this thread inside of the client, whose state is not consistent then.
        """
        check(self.process)
        if self._is_inside():
            raise MisuseError("a signal handler, finalizer or event callback called the client from inside of another call")

    check_inspection = check

    def end_later(self, iteration: int) -> None:
        """Ends a garbage-collected iteration in the next `pump`: its thread may hold the lock already."""
        if self.process == process():
            self._to_end.append(iteration)
            self._wake_leader()

    def release_later(self, cache: int) -> None:
        """Releases the number of a garbage-collected cache in the next `pump`."""
        self._to_release.append(cache)

    def pump(self) -> None:
        """Executes the machine's outputs. Requires the lock."""
        machine, queue = self.machine, self._outputs
        while self._to_end:
            machine.end_iteration(self.now(), self._to_end.popleft())
        while self._to_release:
            machine.release_cache(self._to_release.popleft())
        while queue or machine.poll(queue):
            output = queue[0]
            if output is self._begun:
                self._resume(output)
            else:
                self._begun = output
                handle: Callable[[Any], None] = self._handlers.get(type(output), self._publish)
                handle(output)
            del queue[0]
        self._begun = None
        self._is_pumped = True
        if self._leader is not None and self._selecting_until is not None:
            deadline = machine.poll_timeout()
            if deadline is not None and deadline < self._selecting_until:
                self._wake_leader()

    def _resume(self, output: Any) -> None:
        """Executes an output again whose execution an exception interrupted."""
        handle = self._handlers.get(type(output))
        if handle is None:
            # An event: one of its callbacks was interrupted, and none is called twice.
            return
        if isinstance(output, (outputs.Connect, outputs.StartTls, outputs.Transmit, outputs.Pause, outputs.Resume)):
            self.machine.link_lost(self.now(), output.link, "an exception of a signal handler interrupted the link")
        else:
            handle(output)

    def wait(self, waiter: Waiter, timeout: Optional[float] = None) -> Any:
        """Waits for a result, as the leader if there is none. The thread must not hold the lock."""
        end = None if timeout is None else time.monotonic() + timeout
        try:
            while not waiter.done:
                remaining = None if end is None else end - time.monotonic()
                if remaining is not None and remaining <= 0:
                    raise TimeoutError
                self._lead_or_follow(waiter, remaining)
        finally:
            with self.lock:
                self._remove_waiter(waiter)
                self._promote_leader()
        if waiter.error is not None:
            raise waiter.error
        return waiter.value

    def _lead_or_follow(self, waiter: Waiter, remaining: Optional[float]) -> None:
        """Leads until the result is there, or waits for it or for the promotion to leader."""
        try:
            with self.lock:
                until = self._claim(waiter, remaining)
            if self._leader is waiter:
                self._lead(waiter, until, remaining)
            else:
                waiter.wake_up.acquire(timeout=-1 if remaining is None else remaining)
        finally:
            # No call before the assignment: an exception can't come between.
            if self._leader is waiter:
                self._leader = waiter.outer
                self._selecting_until = None
                self._last_lead_end = time.monotonic()
                if waiter.outer is not None:
                    # The interrupted call selects with the deadline that it knew.
                    self._wake_leader()

    def _claim(self, waiter: Waiter, remaining: Optional[float]) -> Optional[float]:
        """Makes this thread the leader if there is none, or if it was before a signal handler interrupted it. Returns the
        time to select. Requires the lock.
        """
        thread = threading.get_ident()
        if self._leader is None or self._leader.thread == thread:
            waiter.thread, waiter.outer = thread, self._leader
            self._leader = waiter
            self._remove_waiter(waiter)
            if not self._is_pumped or self._outputs:
                self.pump()
            return self._prepare(waiter, remaining)
        if waiter not in self._waiters:
            self._waiters.append(waiter)
        if self._leader is self._keeper:
            self._wake_leader()
        return None

    def _lead(self, waiter: Waiter, until: Optional[float], remaining: Optional[float]) -> None:
        while not waiter.done and not (waiter is self._keeper and self._waiters):
            ready = self._select(until)
            with self.lock:
                self._selecting_until = None
                self._handle_ready(ready)
                until = self._prepare(waiter, remaining)
            if remaining is not None:
                break

    def _promote_leader(self) -> None:
        """Wakes a waiting thread to lead, if there is no leader. Requires the lock."""
        if self._leader is None:
            waiting = next((other for other in self._waiters if not other.done), None)
            if waiting is not None:
                self._remove_waiter(waiting)
                waiting.notify()

    def _remove_waiter(self, waiter: Waiter) -> None:
        if waiter in self._waiters:
            self._waiters.remove(waiter)

    def _prepare(self, waiter: Waiter, remaining: Optional[float]) -> Optional[float]:
        """Returns the seconds to select; None for no end. Requires the lock."""
        if self.ended and not waiter.done:
            raise ClosedError("the client is closed")
        deadline = self.machine.poll_timeout()
        until = None if deadline is None else max(0.0, (deadline - self.now()) / 1_000_000)
        self._selecting_until = 1 << 63 if deadline is None else deadline
        return min((span for span in (until, remaining) if span is not None), default=None)

    def _select(self, until: Optional[float]) -> list[tuple[selectors.SelectorKey, int]]:
        try:
            return self.selector.select(until)
        except (OSError, ValueError):
            # Closed by a signal handler that interrupted the call.
            if not self.ended:
                raise
            return []

    def _handle_ready(self, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Handles the ready sockets and the timers, and executes the outputs. Requires the lock."""
        self._is_pumped = False
        for key, events in ready:
            link = key.data
            if link is None:
                self._drain_wake_ups()
                continue
            try:
                if events & selectors.EVENT_WRITE:
                    link.send()
                if events & selectors.EVENT_READ:
                    link.receive()
            except BaseException:
                # Bytes may have been lost or repeated.
                self.lost(link.link, "an exception of a signal handler interrupted the link")
                raise
        deadline = self.machine.poll_timeout()
        if deadline is not None and deadline <= self.now():
            self.machine.timeout(self.now())
        self.pump()

    def _run_keeper(self) -> None:
        """Leads while no other thread does; the keeper's thread."""
        while True:
            time.sleep(KEEPER_DELAY)
            with self.lock:
                if self.ended and self._leader is None:
                    return self._release()
                if self._leader is not None or time.monotonic() - self._last_lead_end < KEEPER_DELAY:
                    continue
                if self._waiters:
                    # An exception took the leader or the promoted thread away.
                    self._promote_leader()
                    continue
                until = self._claim(self._keeper, None)
            try:
                self._lead(self._keeper, until, None)
            finally:
                with self.lock:
                    self._leader = self._selecting_until = None
                    self._last_lead_end = time.monotonic()
                    self._promote_leader()

    def _release(self) -> None:
        self.selector.close()
        self._wake_sender.close()
        self._wake_receiver.close()

    def _wake_leader(self) -> None:
        try:
            self._wake_sender.send(b"!")
        except OSError:
            # Full: the leader wakes up anyway. Or closed.
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
            if connect.tls is not None:
                # Certificate files are read first: no connection is made in vain.
                self.contexts.get(connect.tls)
            connection = dial_first(connect.host, connect.port, connect.timeout / 1_000_000)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if connect.tls is None:
                return connection
            return self._secured(connection, connect.tls)

        self._establish(link, dial)

    def _secured(self, connection: socket.socket, tls: Any) -> socket.socket:
        try:
            return self.contexts.get(tls).wrap_socket(connection, server_hostname=tls.server_name)
        except OSError as error:
            connection.close()
            raise OSError(explained(error)) from error
        except BaseException:
            connection.close()
            raise

    def _start_tls(self, output: outputs.StartTls) -> None:
        link = self._links[output.link]
        link.unregister()
        plain, link.socket = link.socket, None
        assert plain is not None

        def secure() -> socket.socket:
            # The machine enforces the connect timeout; this one only ends the thread.
            plain.settimeout(60)
            return self._secured(plain, output.tls)

        if not self._establish(link, secure):
            plain.close()

    def _establish(self, link: Link, work: Callable[[], socket.socket]) -> bool:
        """Runs name lookup, connect and TLS handshake in a thread of their own: each may block. Returns False, and loses the
        link, if no thread can be started.
        """

        def run() -> None:
            try:
                connection = work()
                peer = connection.getpeername()[0]
            except Exception as error:
                with self.lock:
                    self.lost(link.link, str(error) or type(error).__name__)
                    self.pump()
                    return self._wake_leader()
            connection.setblocking(False)
            with self.lock:
                if self._links.get(link.link) is not link:
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

        try:
            threading.Thread(target=run, name=f"libhotrod link {link.link:x}", daemon=True).start()
        except RuntimeError as error:
            # No thread is left, or the interpreter is shutting down.
            self.lost(link.link, str(error))
            return False
        return True

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
        if link := self._links.get(output.link):
            link.close()
            del self._links[output.link]
        if self.machine.closed:
            self._end()

    def _end(self) -> None:
        for listener in [*self.listeners.values()]:
            listener(None)
        self.listeners.clear()
        self._call_back(None)
        self.subscribers.clear()
        self.ended = True
        for closer in self._closers:
            closer.finish(None, None)
        self._wake_leader()

    # An exception may interrupt these: they finish a result before they forget it.

    def _completed(self, output: outputs.Completed) -> None:
        if waiter := self.pending.get(output.id):
            waiter.finish((output.member, output.answer), output.error)
            self.pending.pop(output.id, None)

    def _entries(self, output: outputs.Entries) -> None:
        if waiter := self.iterations.get(output.id):
            waiter.finish(output.entries or [], output.error)
            self.iterations.pop(output.id, None)

    def _listen(self, output: Any) -> None:
        if listener := self.listeners.get(output.listener):
            listener(output)

    def _publish(self, output: Output) -> None:
        self._call_back(output)

    def _call_back(self, output: Optional[Output]) -> None:
        for notify in self.subscribers:
            try:
                notify(output)
            except Exception:
                LOG.exception("an event callback raised an exception")

    def closer(self) -> Waiter:
        """Returns a waiter for the end of the client."""
        waiter = Waiter()
        if self.ended:
            waiter.finish(None, None)
        else:
            self._closers.append(waiter)
        return waiter

    def close(self) -> None:
        """Closes the machine. Requires the lock."""
        self.machine.close(self.now())
        self.pump()
        if self.machine.closed and not self.ended:
            self._end()
