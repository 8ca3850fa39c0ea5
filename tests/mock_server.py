# SPDX-License-Identifier: MIT
"""A server that does what it is told instead of what is right: see start_mock in lib.sh. Line k, counted
over all connections, is treated as argument k says, and all that follow the last one as that one."""
import itertools
import socket
import struct
import sys
import threading

from peer import served

lock = threading.Lock()
count = itertools.count()
received = open("mock.lines", "w", encoding="utf-8", buffering=1)


def treat(connection, line):
    with lock:
        number = next(count)
        received.write(line.decode("latin-1") + "\n")
    order = sys.argv[1:][min(number, len(sys.argv) - 2)]
    if order == "mute":
        return True
    if order in ("close", "half", "reset"):
        if order == "half":
            connection.sendall(b"o")
        if order == "reset":
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            end(connection)
        return False
    if order == "bytes":
        for byte in b"ok\r\n":
            connection.sendall(bytes([byte]))
    else:  # what is to be answered
        connection.sendall(order.encode().decode("unicode_escape").encode("latin-1") + b"\n")
    return True


def end(connection):
    """Sends the end, and reads up to the client's: a socket that is closed with unread bytes resets the
    connection, and then it is up to chance what the client sees."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65536):
        pass


def serve(connection):
    rest = b""
    try:
        connection = served(connection)
        while piece := connection.recv(65536):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if not treat(connection, line):
                    return
    except OSError:
        pass
    finally:
        connection.close()


def main():
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        connection, _ = listener.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


main()
