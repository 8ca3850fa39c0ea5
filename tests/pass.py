#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Passes connections on: pass.py PORT TARGET. At 127.0.0.1; prints "listening". Two of them before one server
are what two servers are that have one database: what one of them has taken the other has."""
import socket
import sys
import threading

port, target = map(int, sys.argv[1:])


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        for end in source, sink:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


listener = socket.create_server(("127.0.0.1", port))
print("listening", flush=True)
while True:
    near, _ = listener.accept()
    try:
        far = socket.create_connection(("127.0.0.1", target))
    except OSError:
        near.close()
        continue
    for way in (near, far), (far, near):
        threading.Thread(target=pump, args=way, daemon=True).start()
