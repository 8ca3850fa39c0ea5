# SPDX-License-Identifier: MIT
"""terminal.py OUT COMMAND...: runs a command whose stderr is a terminal, and with OUT "terminal" its
stdout, too. Prints what the terminal got, as it comes, and ends with the command's status. SIGTERM and SIGUSR1
are passed on."""
import os
import pty
import signal
import subprocess
import sys

master, slave = pty.openpty()
out = slave if sys.argv[1] == "terminal" else open(sys.argv[1], "wb")
program = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=out, stderr=slave)
os.close(slave)
for each in signal.SIGTERM, signal.SIGUSR1:
    signal.signal(each, lambda number, frame: program.send_signal(number))
while True:
    try:
        some = os.read(master, 4096)
    except OSError: # how a pty tells of its end
        break
    if not some:
        break
    sys.stdout.buffer.write(some.replace(b"\r\n", b"\n"))
    sys.stdout.buffer.flush()
sys.exit(program.wait())
