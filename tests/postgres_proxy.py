# SPDX-License-Identifier: MIT
"""A proxy for a PostgreSQL: postgres_proxy.py DIRECTORY DIRECTORY_OF_THE_DATABASE, with a socket in
each. It loses a connection at a batch with certain lines, once for each of these:
  cut early: when the database has told of the statement's end, which it tells further, and before
             it has committed: it is not asked to;
  cut late:  when it has committed, of which it tells nothing."""
import os
import socket
import struct
import sys
import threading

NAME = ".s.PGSQL.5432"
cuts = {b"cut early", b"cut late"}


def receive(peer, count):
    data = b""
    while len(data) < count:
        more = peer.recv(count - len(data))
        if not more:
            raise EOFError
        data += more
    return data


def message(peer):
    head = receive(peer, 5)
    return head[:1], head + receive(peer, struct.unpack("!I", head[1:])[0] - 4)


class Connection:
    def __init__(self, client):
        self.client = client
        self.database = socket.socket(socket.AF_UNIX)
        self.database.connect(os.path.join(sys.argv[2], NAME))
        self.cut = None  # of the statement that runs
        for pump in self.up, self.down:
            threading.Thread(target=self.run, args=(pump,), daemon=True).start()

    def run(self, pump):
        try:
            pump()
        except (EOFError, OSError):
            pass
        for peer in self.client, self.database:
            try:
                peer.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def up(self):
        start = receive(self.client, 4)
        self.database.sendall(start + receive(self.client, struct.unpack("!I", start)[0] - 4))
        while True:
            kind, whole = message(self.client)
            if kind == b"B":  # Bind: it has the lines
                for words in list(cuts):
                    if words in whole:
                        cuts.remove(words)
                        self.cut = words
            if kind == b"S" and self.cut == b"cut early":  # Sync, which commits
                whole = b"H\0\0\0\4"  # Flush
            self.database.sendall(whole)

    def down(self):
        while True:
            kind, whole = message(self.database)
            if self.cut == b"cut late":
                if kind == b"Z":  # ReadyForQuery
                    raise EOFError
                continue
            self.client.sendall(whole)
            if self.cut and kind == b"C":  # CommandComplete
                raise EOFError


listener = socket.socket(socket.AF_UNIX)
listener.bind(os.path.join(sys.argv[1], NAME))
listener.listen()
print("listening", flush=True)
while True:
    Connection(listener.accept()[0])
