#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""How fast a relay forwards over a distance: a proxy in this process delays each direction by half of the round
trip. Prints how many lines/s were saved by the next server, with and without the service once there.

    bench/distance.py SERVER [MILLISECONDS [LINES]]
"""
import collections
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time

LINE = b"%09d a line of one hundred bytes, as logs have them, and here it is filled up to that with " + b"x" * 9


def pump(source, target, delay):
    """Passes bytes on, each some time after it has come."""
    waiting, changed = collections.deque(), threading.Condition()

    def send():
        while True:
            with changed:
                while not waiting:
                    changed.wait()
                at, data = waiting.popleft()
            time.sleep(max(0.0, at - time.monotonic()))
            try:
                if not data:
                    return target.shutdown(socket.SHUT_WR)
                target.sendall(data)
            except OSError:
                return None

    threading.Thread(target=send, daemon=True).start()
    data = b"x"
    while data:
        try:
            data = source.recv(1 << 18)
        except OSError:
            data = b""
        with changed:
            waiting.append((time.monotonic() + delay, data))
            changed.notify()


def proxy(listener, port, delay):
    while True:
        near = listener.accept()[0]
        far = socket.create_connection(("127.0.0.1", port))
        for one, other in (near, far), (far, near):
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=pump, args=(one, other, delay), daemon=True).start()


def start(server, *options):
    """Starts a server at a free port. Returns the process and its port."""
    reads, writes = os.pipe()
    process = subprocess.Popen([server, "-port", "0", "-quiet", "-ready", str(writes), *options], pass_fds=[writes])
    os.close(writes)
    with os.fdopen(reads) as ready:
        return process, int(ready.readline().split()[1])


def count(log, lines):
    """Waits until the log has so many lines."""
    found, rest = 0, b""
    with open(log, "rb") as file:
        while found < lines:
            data = file.read(1 << 20)
            if not data:
                time.sleep(0.01)
            found += (rest + data).count(b" received: ") - rest.count(b" received: ")
            rest = (rest + data)[-16:]


def measure(server, prefix, service, delay, lines):
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "save.log")
        save, port = start(server, "-service", service, "-log", log)
        listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=proxy, args=(listener, port, delay), daemon=True).start()
        relay, port = start(server, "-next", f"{prefix}127.0.0.1:{listener.getsockname()[1]}",
                            "-log", os.path.join(folder, "relay.log"))
        sender = socket.create_connection(("127.0.0.1", port))
        began = time.monotonic()

        def answers():
            while sender.recv(1 << 18):
                pass

        threading.Thread(target=answers, daemon=True).start()
        sender.sendall(b"".join(LINE % i + b"\n" for i in range(lines)))
        count(log, lines)
        rate = lines / (time.monotonic() - began)
        for process in relay, save:
            process.terminate()
            process.wait()
        return rate


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    TRIP = float(sys.argv[2]) if len(sys.argv) > 2 else 50.0
    LINES = int(sys.argv[3]) if len(sys.argv) > 3 else 500000
    for NAME, PREFIX, SERVICE, COUNT in ("once", "once:", "once", LINES), ("ok", "", "ok", LINES // 1000):
        RATE = measure(sys.argv[1], PREFIX, SERVICE, TRIP / 2000, COUNT)
        print(f"-next to {NAME}, {TRIP:g} ms of round trip: {RATE:.0f} lines/s")
