# SPDX-License-Identifier: MIT
"""Threads in strict turns as one would first write them in Python: a server that logs with the
logging module and answers ok, and a client whose threads share a connection and a condition.

    turns.py server LOG                             prints HOST PORT, serves until it is stopped
    turns.py client HOST PORT THREADS ITERATIONS    prints lines per second
"""
import logging
import os
import socket
import sys
import threading
import time

PATIENCE = 60


def give_up(words):
    """Ends all threads, which an exception in one of them does not."""
    print("turns.py:", words, file=sys.stderr, flush=True)
    os._exit(1)


def serve(connection, name):
    with connection, connection.makefile("rb") as lines:
        for line in lines:
            logging.info("--%s received: %s", name, line.decode().rstrip("\n"))
            connection.sendall(b"ok\n")
            logging.info("--%s sent: ok", name)


def run_server(log):
    logging.basicConfig(
        filename=log,
        level=logging.INFO,
        format="%(levelname)s\t| %(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(PATIENCE)
    print(*listener.getsockname(), flush=True)
    while True:
        connection, address = listener.accept()
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        name = "%s:%d" % address
        threading.Thread(target=serve, args=(connection, name), daemon=True).start()


class Turns:
    """Whose turn it is, of so many threads."""

    def __init__(self, threads):
        self.threads = threads
        self.current = 0
        self.changed = threading.Condition()

    def take(self, thread, action):
        with self.changed:
            if not self.changed.wait_for(lambda: self.current == thread, PATIENCE):
                give_up("no turn for a minute")
            action()
            self.current = (thread + 1) % self.threads
            self.changed.notify_all()


def send_lines(turns, thread, iterations, connection, answers):
    def say(iteration):
        connection.sendall(b"Thread %d, iteration %d\n" % (thread, iteration))
        if answers.readline() != b"ok\n":
            give_up("a line was not acknowledged")

    for iteration in range(1, iterations + 1):
        turns.take(thread, lambda: say(iteration))


def run_client(host, port, threads, iterations):
    connection = socket.create_connection((host, port), PATIENCE)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    answers = connection.makefile("rb")
    turns = Turns(threads)
    workers = [
        threading.Thread(target=send_lines, args=(turns, i, iterations, connection, answers))
        for i in range(threads)
    ]
    started = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    print(round(threads * iterations / (time.monotonic() - started)))


if sys.argv[1] == "server":
    run_server(sys.argv[2])
else:
    run_client(sys.argv[2], *map(int, sys.argv[3:6]))
