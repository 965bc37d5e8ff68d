"""The blocking client under signal handlers, finalizers, callbacks and forks, each in a process that may hang."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from .conftest import Embedded

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")

COMMON = """
import gc, os, signal, sys, threading
import libhotrod
from libhotrod import blocking

client = blocking.connect(sys.argv[1])
cache = client.cache()
main = threading.main_thread().ident
"""


def run(node: Embedded, program: str) -> None:
    done = subprocess.run([sys.executable, "-c", COMMON + program, node.uri()], timeout=60, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_exception_of_a_signal_handler_ends_one_call_only(three: Embedded) -> None:
    run(
        three,
        """
class Interrupted(Exception):
    pass

armed, interrupted, stopping = False, 0, False
rounds = [0] * 4

def interrupt(*_):
    global armed
    if armed:
        armed = False
        raise Interrupted

def work(number):
    while not stopping:
        key = b"%d" % number
        cache.put(key, b"%d" % rounds[number])
        assert cache.get(key) == b"%d" % rounds[number]
        rounds[number] += 1

def send():
    while not stopping:
        if armed:
            signal.pthread_kill(main, signal.SIGUSR1)

signal.signal(signal.SIGUSR1, interrupt)
threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
threads.append(threading.Thread(target=send))
for thread in threads:
    thread.start()
for _ in range(400):
    try:
        armed = True
        while True:
            cache.put(b"main", b"v")
            assert cache.get(b"main") == b"v"
    except Interrupted:
        interrupted += 1
assert interrupted == 400
reached = list(rounds)
# Each of the other threads goes on.
for _ in range(100_000):
    cache.get(b"main")
    if all(now > before for now, before in zip(rounds, reached)):
        break
else:
    raise AssertionError(rounds)
stopping = True
for thread in threads:
    thread.join(20)
    assert not thread.is_alive()
client.close()
""",
    )


def test_calls_from_a_signal_handler_while_the_thread_waits(node: Embedded) -> None:
    run(
        node,
        """
other = threading.Thread(target=lambda: [cache.get(b"k") for _ in range(2000)])
listener = cache.listen()
iteration = cache.iterate()
handled = []

def write(*_):
    cache.put(b"k", b"v")
    handled.append(cache.get(b"k"))

signal.signal(signal.SIGUSR1, write)
sender = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGUSR1))
sender.start()
event = listener.get(timeout=30)
assert handled == [b"v"] and event.key == b"k", (handled, event)
other.start()
other.join()

signal.signal(signal.SIGUSR1, lambda *_: client.close())
closer = threading.Timer(0.2, lambda: signal.pthread_kill(main, signal.SIGUSR1))
closer.start()
assert listener.get(timeout=30) is None
""",
    )


def test_calls_from_a_handler_inside_of_the_client_are_refused(node: Embedded) -> None:
    run(
        node,
        """
refused = []
listener, iteration = cache.listen(), cache.iterate()

def call(*_):
    calls = (lambda: cache.get(b"k"), client.close, client.members, client.counters, lambda: client.cache("c"),
             lambda: listener.get(timeout=1), listener.close, lambda: next(iteration), iteration.close)
    for method in calls:
        try:
            method()
        except libhotrod.MisuseError as error:
            refused.append(str(error))

with client._driver.lock:
    call()
assert len(refused) == 9 and "signal handler" in refused[0], refused
assert cache.get(b"k") is None
refused.clear()
client.on_event(call)
client.close()
assert len(refused) == 9 or not refused, refused
""",
    )


def test_a_callback_that_raises_an_exception_stops_nothing(node: Embedded) -> None:
    run(
        node,
        """
def fail(event):
    raise RuntimeError("mine")

events = []
client.on_event(fail)
client.on_event(events.append)
other = client.cache("other")
cache.enable_near_cache()
for _ in range(10_000):
    if events:
        break
    cache.put(b"k", b"v")
assert events
client.close()
assert events[-1] is None
""",
    )


def test_every_call_in_a_forked_process_is_refused(node: Embedded) -> None:
    run(
        node,
        """
cache.put_all({b"%d" % number: b"v" for number in range(100)})
iteration, listener = cache.iterate(batch_size=1), cache.listen()
next(iteration)
calls = {
    "get": lambda: cache.get(b"k"), "members": client.members, "counters": client.counters, "coverage": client.coverage,
    "view": lambda: client.view(cache), "cache": lambda: client.cache("c"), "counter": lambda: client.counter("c"),
    "counter_names": client.counter_names, "on_event": lambda: client.on_event(print), "close": client.close,
    "switch_site": lambda: client.switch_site(""), "iterate": cache.iterate, "listen": cache.listen,
    "next": lambda: next(iteration), "close of an iteration": iteration.close, "close of a listener": listener.close,
    "get of a listener": lambda: listener.get(timeout=1), "near cache": cache.enable_near_cache,
    "no near cache": cache.disable_near_cache, "with_timeout": lambda: cache.with_timeout(1),
}
locked, release = threading.Event(), threading.Event()

def hold():
    with client._driver.lock:
        locked.set()
        release.wait(30)

holder = threading.Thread(target=hold)
holder.start()
locked.wait(30)
child = os.fork()
if child == 0:
    signal.alarm(20)
    for name, call in calls.items():
        try:
            call()
        except libhotrod.ClosedError as error:
            assert "forked" in str(error)
        except BaseException as error:
            print(name, repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        else:
            print(name, file=sys.stderr, flush=True)
            os._exit(1)
    del calls, iteration
    gc.collect()
    os._exit(0)
release.set()
assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
holder.join()
assert cache.get(b"1") == b"v"
client.close()
""",
    )


def test_threads_that_can_not_be_started(node: Embedded) -> None:
    run(
        node,
        """
client.close()
start = threading.Thread.start

def refuse(prefix):
    def refusing(thread):
        if thread.name.startswith(prefix):
            raise RuntimeError("can't start new thread")
        start(thread)
    return refusing

for prefix in ("libhotrod", "libhotrod link"):
    threading.Thread.start = refuse(prefix)
    try:
        blocking.connect(sys.argv[1])
    except libhotrod.HotRodError as error:
        assert "can't start new thread" in str(error), error
    else:
        raise AssertionError("connected")
threading.Thread.start = start
blocking.connect(sys.argv[1]).close()
""",
    )
