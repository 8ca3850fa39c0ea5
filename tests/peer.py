# SPDX-License-Identifier: MIT
"""A client for tests, without any code of the programs under test. Run as a program it puts load on
a server and writes down which lines were acknowledged: see start_load in lib.sh."""
import collections
import os
import select
import selectors
import signal
import socket
import ssl
import sys
import threading

PATIENCE = float(os.environ.get("PATIENCE", "30"))


def is_asleep(pid):
    """Whether all threads of a process sleep, so that nothing is under way in it."""
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="latin-1") as stat:
                if stat.read().rsplit(") ", 1)[1][0] != "S":
                    return False
        except OSError:  # it has just ended
            return False
    return True


class TlsSocket(ssl.SSLSocket):
    """One that behaves as a plain socket does. OpenSSL's object is for one thread at a time, and Python has no lock
    for it (3.12): a thread that receives while another sends could be told of an end that is none."""

    lock = threading.Lock()  # one for all is enough

    def alone(self, call):
        """Calls it without waiting, and waits meanwhile without the lock."""
        while True:
            with self.lock:
                timeout = self.gettimeout()
                self.settimeout(0)
                try:
                    return call()
                except ssl.SSLWantReadError:
                    wanted = select.POLLIN
                except ssl.SSLWantWriteError:
                    wanted = select.POLLOUT
                finally:
                    self.settimeout(timeout)
            if timeout == 0:
                raise BlockingIOError
            waiting = select.poll()
            waiting.register(self, wanted)
            if not waiting.poll(None if timeout is None else timeout * 1000):
                raise TimeoutError

    def recv(self, size, flags=0):
        def receive():
            received = super(TlsSocket, self).recv(size, flags)
            # nobody who waits for the descriptor would learn of the rest
            while received and len(received) < size and self.pending():
                received += super(TlsSocket, self).recv(size - len(received), flags)
            return received
        return self.alone(receive)

    def send(self, data, flags=0):
        try:
            return self.alone(lambda: super(TlsSocket, self).send(data, flags))
        except ssl.SSLEOFError:
            raise BrokenPipeError from None

    def shutdown(self, how):
        """A FIN without a close_notify."""
        socket.socket.shutdown(self, how)


def over_tls(plain):
    """The socket, with TLS where the environment has certificates for it."""
    if "PEER_CA" not in os.environ:
        return plain
    context = ssl.create_default_context(cafile=os.environ["PEER_CA"])
    context.sslsocket_class = TlsSocket
    if "PEER_CERT" in os.environ:
        context.load_cert_chain(os.environ["PEER_CERT"], os.environ["PEER_KEY"])
    return context.wrap_socket(plain, server_hostname="localhost")


def served(plain):
    """A socket that a server has accepted, with TLS where the environment has a server's certificate."""
    if "PEER_SERVER_CERT" not in os.environ:
        return plain
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.sslsocket_class = TlsSocket
    context.load_cert_chain(os.environ["PEER_SERVER_CERT"], os.environ["PEER_SERVER_KEY"])
    return context.wrap_socket(plain, server_side=True)


class Peer:
    """A connection that is waited for, but not for ever."""

    def __init__(self, host, port, receive_buffer=0):
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            # the kernel's buffer at the other end is in proportion to it, and is full soon, too
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        self.socket.connect((host, int(port)))
        self.socket = over_tls(self.socket)
        self.rest = b""

    def send(self, data):
        self.socket.sendall(data)

    def answer(self):
        """The next answer without its line end; None where the server has closed."""
        while b"\n" not in self.rest:
            received = self.socket.recv(65536)
            if not received:
                return None
            self.rest += received
        line, self.rest = self.rest.split(b"\n", 1)
        return line.decode()

    def answers(self, count):
        return [self.answer() for _ in range(count)]

    def ask(self, line):
        self.send(line + b"\n")
        return self.answer()

    def finish(self):
        """Says that no more will come, and returns what the server still sends until it closes."""
        self.socket.shutdown(socket.SHUT_WR)
        return self.read_to_end()

    def read_to_end(self):
        while received := self.socket.recv(65536):
            self.rest += received
        self.socket.close()
        return self.rest


class Load:
    """Many connections at once, each with a number of lines in flight."""

    def __init__(self, address, connections, window, lines, prefix):
        self.window, self.lines, self.prefix = window, lines, prefix
        self.acked, self.errors, self.sent, self.stopping = [], [], 0, False
        self.selector = selectors.DefaultSelector()
        self.open = {}
        for number in range(connections):
            peer = Peer(*address).socket
            peer.setblocking(False)
            state = {"number": number, "next": 0, "flight": collections.deque(), "out": b"", "in": b""}
            self.open[peer] = state
            self.selector.register(peer, selectors.EVENT_READ)

    def fill(self, peer, state):
        while len(state["flight"]) < self.window and not self.done(state):
            line = f"{self.prefix}-{state['number']}-{state['next']}"
            state["next"] += 1
            state["flight"].append(line)
            state["out"] += line.encode() + b"\n"
            self.sent += 1
        try:
            while state["out"]:
                state["out"] = state["out"][peer.send(state["out"]):]
        except BlockingIOError:
            pass
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if state["out"] else 0)
        self.selector.modify(peer, events)

    def done(self, state):
        return self.stopping or (self.lines and state["next"] >= self.lines)

    def take(self, peer, state):
        received = peer.recv(65536)
        if not received:
            raise ConnectionError("closed")
        *answers, state["in"] = (state["in"] + received).split(b"\n")
        for answer in answers:
            line = state["flight"].popleft()
            if answer == b"ok":
                self.acked.append(line)
            else:
                self.errors.append(f"{line}: {answer.decode()}")

    def turn(self, peer, events):
        state = self.open[peer]
        try:
            if events & selectors.EVENT_READ:
                self.take(peer, state)
            self.fill(peer, state)
            if state["flight"] or not self.done(state):
                return
        except BlockingIOError:
            return
        except (ConnectionError, IndexError) as error:
            if isinstance(error, IndexError):
                self.errors.append("an answer without a line")
        self.selector.unregister(peer)
        peer.close()
        del self.open[peer]

    def run(self):
        for peer in list(self.open):
            self.turn(peer, selectors.EVENT_WRITE)
        while self.open:
            ready = self.selector.select(PATIENCE)
            if not ready:
                self.errors.append("no answer in time")
                return
            for key, events in ready:
                if key.fileobj in self.open:
                    self.turn(key.fileobj, events)

    def stop(self, *_):
        self.stopping = True


def main(host, port, connections, window, lines, prefix):
    load = Load((host, port), int(connections), int(window), int(lines), prefix)
    signal.signal(signal.SIGTERM, load.stop)
    load.run()
    for name, content in (("acked", load.acked), ("errors", load.errors)):
        with open(f"{prefix}.{name}", "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in content)
    print(f"{load.sent} sent, {len(load.acked)} acknowledged, {len(load.errors)} errors")


if __name__ == "__main__":
    main(*sys.argv[1:])
