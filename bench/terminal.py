# SPDX-License-Identifier: MIT
"""A terminal that somebody looks at: prints its name and reads what is written to it, until nobody
has it open any more, nothing has come for a minute, or it is stopped."""
import os
import pty
import select
import tty

PATIENCE = 60

master, slave = pty.openpty()
tty.setraw(slave)
# kept open here: whoever opens it later finds it, and it does not end between two of them
print(os.ttyname(slave), flush=True)
while select.select([master], [], [], PATIENCE)[0]:
    os.read(master, 65536)
