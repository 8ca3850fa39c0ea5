# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2153,SC2154
# What the tests of several hosts share. To be sourced behind lib.sh.

# listens PORT: a program does, at 127.0.0.1.
listens()
{
	(exec {there}<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# pass_on I PORT: passes connections to port I of those that are held on to a server. Sets PID.
pass_on()
{
	start "pass$1" python3 "$tests_directory/pass.py" "${HELD[$1]}" "$2"
	retry "$PATIENCE" has_line "pass$1.out" listening || bail_out "nothing is passed on: $(cat "pass$1.err")"
}

# black_hole: a port, HOLE, to which no connection is made or refused: its backlog is full.
black_hole()
{
	start hole python3 -c 'import signal, socket
hole = socket.socket()
hole.bind(("127.0.0.1", 0))
hole.listen(0)
waiting = []
for _ in range(8):
    waiting.append(socket.socket())
    waiting[-1].setblocking(False)
    waiting[-1].connect_ex(hole.getsockname())
print(hole.getsockname()[1], flush=True)
signal.pause()'
	retry "$PATIENCE" read_words hole.out HOLES || bail_out "no black hole: $(cat hole.err)"
	HOLE=${HOLES[0]}
}
