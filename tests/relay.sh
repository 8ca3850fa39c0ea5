# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of the service relay share: stages that forward to each other, and a checker of
# their logs. To be sourced behind lib.sh.

# Stages have ports of their own, so that they can be started again.
hold_ports 4
declare -A PIDS PORTS
PORTS=([server]=${HELD[0]} [process]=${HELD[1]} [save]=${HELD[2]} [proxy]=${HELD[3]})

# stage NAME [OPTION]...: starts a server with NAME.log and waits until it listens. Told to end, it has all the time that
# forwarding takes on a busy machine.
stage()
{
	local name=$1 fifo=$SCRATCH/.ready.$RANDOM$RANDOM
	shift
	mkfifo "$fifo" || bail_out "no fifo"
	env --default-signal=INT,QUIT,PIPE "$SERVER" -quiet -port "${PORTS[$name]}" -ready 9 \
		-log "$name.log" -drain "${PATIENCE}s" "$@" </dev/null >"$name.out" 2>"$name.err" 9>"$fifo" &
	PIDS[$name]=$!
	if ! read -r -t "$PATIENCE" _ <"$fifo"; then
		diag <"$name.err"
		bail_out "$name does not start: $*"
	fi
	rm -f "$fifo"
}

# relay NAME NEXT [OPTION]...: a stage that forwards to the stage NEXT.
relay()
{
	local name=$1 next=$2
	shift 2
	stage "$name" -service relay -next "127.0.0.1:${PORTS[$next]}" "$@"
}

# once NAME NEXT SERVICE [OPTION]...: a stage that forwards to the stage NEXT, which has the service once.
once()
{
	local name=$1 next=$2 service=$3
	shift 3
	stage "$name" -service "$service" -next "once:127.0.0.1:${PORTS[$next]}" -source "$name" "$@"
}

# load RATE: starts a client that sends lines to the stage server, until load_ends, which sets STATUS.
load()
{
	rm -f feed enough last
	mkfifo feed || bail_out "no fifo"
	numbers >feed &
	start client "$CLIENT" -host 127.0.0.1 -port "${PORTS[server]}" -input feed -rate "$1" -retry 60s -quiet
	# shellcheck disable=SC2153 # start has set it
	CLIENT_PID=$PID
}

load_ends()
{
	: >enough
	wait_for "$CLIENT_PID"
}

# over NAME...: drains stages in that order; STATUS is that of the last.
over()
{
	local name
	for name; do
		stop "${PIDS[$name]}"
		[ "$STATUS" = 0 ] || diag "$name ended with $STATUS: $(cat "$name.err")"
	done
}

# new: forgets all stages and logs.
new()
{
	PIDS=()
	rm -f ./*.log
}

# in_log NAME COUNT: so many lines, or more, were received there.
in_log()
{
	[ "$(grep -c ' received: ' "$1.log")" -ge "$2" ]
}

# saved: the lines that the last stage has, without the fields before them.
saved()
{
	sed -n '/\\x(torn)$/d; s/^INFO.* received: [0-9]* | [^|]* | [^|]* | //p' save.log
}

# Compares two logs that follow each other, by itself: every line of the first is in the second, and
# the first of each in order.
cat >check.py <<'END'
import re, sys

def received(name):
    pattern = re.compile(rb"INFO\t\| (\S+ \S+) --\S+(?: \(\S+\))?(?: \S+#\d+)? received: (.*)")
    with open(name, "rb") as file:
        lines = [line for line in file.read().split(b"\n") if not line.endswith(rb"\x(torn)")]
    found = [match.groups() for match in map(pattern.fullmatch, lines) if match]
    # the times of a service may have no fraction
    return [(time if b"." in time else time + b".000000", line) for time, line in found]

def hop(one, other):
    sent, due, twice = received(one), 0, 0
    for _, line in received(other):
        number, came, done, text = line.split(b" | ", 3)
        if int(number) <= due:
            twice += 1
        elif int(number) > due + 1:
            return f"{other}: {number} instead of {due + 1}"
        else:
            due += 1
        if sent[int(number) - 1] != (came, text) or not came <= done or len(done) != 26:
            return f"{other}: {line} was {sent[int(number) - 1]}"
    if due != len(sent):
        return f"{other}: {len(sent) - due} missing"
    return twice

twice = [hop(*pair) for pair in zip(sys.argv[1:], sys.argv[2:])]
print(*twice)
END

# in_order NAME MOST LOG...: all is there and in order, and at most so many lines twice on each hop.
in_order()
{
	local name=$1 most=$2 twice
	shift 2
	run python3 check.py "$@" </dev/null
	for twice in $OUT; do
		[[ $twice =~ ^[0-9]+$ && $twice -le $most ]] && continue
		fail "$name" "$OUT$ERR, at most $most"
		return
	done
	[ -n "$OUT" ] || fail "$name" "$ERR" || return
	diag "$name: twice: $OUT"
	pass "$name"
}

# A proxy to the stage save, at the port of the stage proxy. start_proxy LIMIT [answers]: after so many bytes of
# lines, or of answers, it prints stalled and passes nothing on that way, 0: it never does. Sets PROXY.
cat >proxy.py <<'END'
import socket, sys, threading, time
port, limit, answers = int(sys.argv[1]), int(sys.argv[2]), sys.argv[4] == "answers"
listener = socket.create_server(("127.0.0.1", int(sys.argv[3])))
print(listener.getsockname()[1], flush=True)
passed = 0
def pump(source, target, limited):
    global passed
    try:
        while data := source.recv(200):
            passed += len(data) if limited else 0
            if limit and passed > limit:
                print("stalled", flush=True)
                time.sleep(600)
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass
while True:
    near = listener.accept()[0]
    far = socket.create_connection(("127.0.0.1", port))
    threading.Thread(target=pump, args=(near, far, not answers), daemon=True).start()
    threading.Thread(target=pump, args=(far, near, answers), daemon=True).start()
END
start_proxy()
{
	start proxy python3 proxy.py "${PORTS[save]}" "$1" "${PORTS[proxy]}" "${2:-lines}"
	# shellcheck disable=SC2034,SC2153 # start has set the one, and the caller uses the other
	PROXY=$PID
	retry "$PATIENCE" test -s proxy.out || bail_out "the proxy does not start: $(cat proxy.err)"
}
