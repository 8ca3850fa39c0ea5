# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# What every test script stands on. A script begins with
#
#	. "${BASH_SOURCE%/*}/../lib.sh"
#	need nc
#	plan 3
#
# and prints TAP. It runs in a scratch folder of its own, $SCRATCH, which is removed at the end, when
# everything the script has started with start or start_server is stopped, too. Nothing waits
# longer than a deadline, and the whole script no longer than $TEST_DEADLINE seconds.
#
# By hand, from the build directory: tests/system/NAME.test
#
# What is about logs is in lib_logs.sh.
set -u

if [ -z "${TEST_DEADLINE_SET:-}" ]; then
	TEST_DEADLINE_SET=1 exec timeout -k 10 "${TEST_DEADLINE:-600}" "$BASH" "$0" "$@"
fi

tests_directory=$(cd "${BASH_SOURCE%/*}" && pwd)
# srcdir and builddir: where sources and programs are, absolute, without a slash at the end
srcdir=$(cd "${srcdir:-$tests_directory/..}" && pwd)
if [ -z "${builddir:-}" ]; then
	builddir=$PWD
	[ -x "$builddir/server" ] || builddir=$srcdir/build
	[ -x "$builddir/server" ] || builddir=$srcdir
fi
SERVER=${SERVER:-$builddir/server}
CLIENT=${CLIENT:-$builddir/client}
RUNALL=${RUNALL:-$builddir/runall}
# what the programs were built with: no, or a list as in address,undefined; and no or yes
SANITIZER=${SANITIZER:-no}
COVERAGE=${COVERAGE:-no}
export SERVER CLIENT RUNALL SANITIZER COVERAGE srcdir builddir
export LC_ALL=C.UTF-8

# Programs that tests kill may leave a file of counts cut off; what gcov says of that is no output of
# the programs.
[ "$COVERAGE" = no ] || export GCOV_ERROR_FILE=/dev/null

# How long to wait for anything that should come soon, in seconds; generous, since a machine may be
# busy, and a sanitizer makes programs ten times slower: a test that passes never waits so long.
[ "$SANITIZER" = no ] && PATIENCE=${PATIENCE:-60} || PATIENCE=${PATIENCE:-240}
export PATIENCE

# A port of 127.0.0.1 where nobody listens: one that a server has left may be somebody else's by now.
NO_PORT=1

# Programs in Python may "import peer".
export PYTHONPATH=$tests_directory PYTHONDONTWRITEBYTECODE=1
# with it print() writes each of its arguments by itself, and a file has half a line for a moment
unset PYTHONUNBUFFERED

SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/ackline-test.XXXXXX") || exit 1
cd "$SCRATCH" || exit 1

# Clean-up

# Stops what is left of the script's own background jobs, and nothing else.
stop_all()
{
	local children
	mapfile -t children < <(jobs -rp)
	[ ${#children[@]} -gt 0 ] || return 0
	kill -TERM "${children[@]}" 2>/dev/null
	kill -CONT "${children[@]}" 2>/dev/null
	retry 5 no_jobs && return
	mapfile -t children < <(jobs -rp)
	[ ${#children[@]} -eq 0 ] || kill -KILL "${children[@]}" 2>/dev/null
	retry 5 no_jobs
}

no_jobs()
{
	[ -z "$(jobs -rp)" ]
}

# A script adds what it has to undo besides: a mount, a namespace.
cleanup()
{
	:
}

clean_up()
{
	local status=$?
	trap '' INT TERM HUP
	trap - EXIT
	stop_all
	cleanup
	cd / && rm -rf "$SCRATCH"
	exit "$status"
}

trap clean_up EXIT
trap 'exit 1' INT TERM HUP

# TAP

test_count=0
test_failed=0

plan()
{
	echo "1..$1"
}

# Instead of plan, at the end of a script that counts by itself.
done_testing()
{
	echo "1..$test_count"
}

# Shows words, or what comes on stdin, as comments.
diag()
{
	if [ $# -gt 0 ]; then
		printf '%s\n' "$*" | sed 's/^/# /'
	else
		sed 's/^/# /'
	fi
}

pass()
{
	test_count=$((test_count + 1))
	echo "ok $test_count - $1"
}

# fail NAME [WORDS]: words say what was seen instead. What the last command of run said on stderr is told, too: of a
# failure that is rare there is nothing else.
fail()
{
	test_count=$((test_count + 1))
	test_failed=$((test_failed + 1))
	echo "not ok $test_count - $1"
	shift
	[ $# -eq 0 ] || diag "$@" | cut -c 1-300 | head -n 60
	[ -z "${ERR:-}" ] || diag "stderr of the last command:"$'\n'"$ERR" | cut -c 1-300 | head -n 20
	return 1
}

# skip NAME REASON: this one cannot be tested here.
skip()
{
	test_count=$((test_count + 1))
	echo "ok $test_count - $1 # SKIP $2"
}

# Before plan: none of this script can be tested here.
skip_all()
{
	echo "1..0 # SKIP $*"
	exit 0
}

has()
{
	command -v "$1" >/dev/null 2>&1 || return
	[ "$1" != python3 ] || find_python
}

# A version manager's python3 is a script that looks for the real one each time, and scripts start many.
find_python()
{
	local python magic
	python=$(command -v python3)
	read -r -N 2 magic <"$python" 2>/dev/null
	[ "$magic" = '#!' ] || return 0
	python=$(python3 -c 'import sys; print(sys.executable)') && PATH=${python%/*}:$PATH
}

# need TOOL...: skips the script where one is missing.
need()
{
	local tool
	for tool; do
		has "$tool" || skip_all "$tool is not installed"
	done
}

# has_tls: the programs are built with OpenSSL; need_tls skips the script where they are not.
has_tls()
{
	! "$SERVER" -tls-cert none 2>&1 </dev/null | grep -q 'has no TLS'
}

need_tls()
{
	has_tls || skip_all "this build has no TLS: configure --with-openssl"
}

# has_http: the programs are built with libmicrohttpd; need_http skips the script where they are not.
has_http()
{
	! "$SERVER" -http none 2>&1 </dev/null | grep -q 'has no HTTP'
}

need_http()
{
	has_http || skip_all "this build has no HTTP: configure --with-libmicrohttpd"
}

# has_sqlite: the programs are built with SQLite; need_sqlite skips the script where they are not.
has_sqlite()
{
	! "$RUNALL" -check -log sqlite:none 2>&1 </dev/null | grep -q 'has no SQLite'
}

need_sqlite()
{
	has_sqlite || skip_all "this build has no SQLite: configure --with-sqlite3"
}

# has_libpq: the programs are built with libpq; need_libpq skips the script where they are not.
has_libpq()
{
	! "$SERVER" -init print -log postgresql:dbname=none 2>&1 </dev/null | grep -q 'has no libpq'
}

need_libpq()
{
	has_libpq || skip_all "this build has no libpq: configure --with-libpq"
}

# has_ipv6: this machine has the address ::1. has_name NAME: it resolves NAME to 127.0.0.1.
has_ipv6()
{
	grep -q '^0\{31\}1 ' /proc/net/if_inet6 2>/dev/null
}

has_name()
{
	getent ahosts "$1" 2>/dev/null | grep -q '^127\.0\.0\.1 '
}

# Gives up: what follows makes no sense.
bail_out()
{
	echo "Bail out! $*"
	exit 1
}

# ok NAME COMMAND...: the command succeeds. not_ok: it fails.
ok()
{
	local name=$1
	shift
	if "$@"; then pass "$name"; else fail "$name" "failed: $*"; fi
}

not_ok()
{
	local name=$1
	shift
	if "$@"; then fail "$name" "did not fail: $*"; else pass "$name"; fi
}

# is NAME GOT EXPECTED
is()
{
	if [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "got:      $2" $'\n'"expected: $3"
	fi
}

isnt()
{
	if [ "$2" != "$3" ]; then pass "$1"; else fail "$1" "got just that: $2"; fi
}

# like NAME GOT REGEX: an extended regular expression, somewhere in it.
like()
{
	if [[ $2 =~ $3 ]]; then
		pass "$1"
	else
		fail "$1" "got:      $2" $'\n'"not like: $3"
	fi
}

unlike()
{
	if [[ $2 =~ $3 ]]; then
		fail "$1" "got:  $2" $'\n'"like: $3"
	else
		pass "$1"
	fi
}

# has_words TEXT WORD...: they occur in it, in this order.
has_words()
{
	local text=$1 word
	shift
	for word; do
		[[ $text == *"$word"* ]] || return 1
		text=${text#*"$word"}
	done
}

# at_most NAME GOT LIMIT, at_least NAME GOT LIMIT: whole numbers.
at_most()
{
	if [ "$2" -le "$3" ]; then pass "$1"; else fail "$1" "$2 is more than $3"; fi
}

at_least()
{
	if [ "$2" -ge "$3" ]; then pass "$1"; else fail "$1" "$2 is less than $3"; fi
}

# Waiting

# Milliseconds on a clock that only goes forward.
now()
{
	local up rest
	read -r up rest </proc/uptime
	echo $((10#${up/./} * 10))
}

# A pipe on which nothing ever comes: to read from it pauses without starting a program.
exec {NOTHING}<> <(:)

# retry SECONDS COMMAND...: polls until the command succeeds; fails at the deadline.
retry()
{
	local deadline=$(($(now) + $1 * 1000))
	shift
	until "$@"; do
		[ "$(now)" -lt "$deadline" ] || return 1
		read -r -t 0.01 -u "$NOTHING" || true
	done
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# A whole line of a file matches an extended regular expression. Shows nothing.
has_line()
{
	grep -Eqx -e "$2" "$1" 2>/dev/null
}

# How many lines of a file match; 0 where there is none.
count_lines()
{
	grep -Ec -e "$2" "$1" 2>/dev/null || true
}

# Processes

# run COMMAND...: runs it to its end, at most $PATIENCE seconds, and sets STATUS (124: it took
# longer), OUT and ERR. Its stdin is what run's own is: give it one. What a sanitizer has to say is shown.
run()
{
	STATUS=0
	timeout -k 5 "$PATIENCE" "$@" >"$SCRATCH/.out" 2>"$SCRATCH/.err" || STATUS=$?
	OUT=$(tr -d '\0' <"$SCRATCH/.out")
	ERR=$(tr -d '\0' <"$SCRATCH/.err")
	if [ "$SANITIZER" != no ] && [[ $ERR =~ (Sanitizer|runtime\ error):\  ]]; then diag "$ERR"; fi
}

# refused WORDS PROGRAM ARGUMENT...: bad usage, with nothing on stdout and one line on stderr, in which are
# these words: the option, what is wrong with it. How that is put is for unit tests.
refused()
{
	local words
	read -r -a words <<<"$1"
	shift
	run "$@" </dev/null
	if [ "$STATUS $OUT" = "2 " ] && [ "$(wc -l <.err)" = 1 ] && [[ $ERR =~ ^(server|client|runall):\  ]] &&
		has_words "$ERR" "${words[@]}"; then
		pass "refused: ${1##*/} ${*:2}"
	else
		fail "refused: ${1##*/} ${*:2}" "status $STATUS" "$OUT" "$ERR"
	fi
}

# page_address: sets PAGE to http://HOST:PORT of the server's page, as its log has it.
page_address()
{
	PAGE=$(grep -o 'https\?://[^ ]*' "${1:-logging.log}" | head -n 1)
	PAGE=${PAGE%/}
	[ -n "$PAGE" ] || bail_out "no page: $(head -n 5 "${1:-logging.log}")"
}

# start NAME COMMAND...: starts it in the background and sets PID; what it prints goes to
# NAME.out and NAME.err. Signals have their defaults, as a terminal's commands have.
start()
{
	local name=$1
	shift
	rm -f "$name.out" "$name.err" # or those of an earlier one could be taken for its own
	env --default-signal=INT,QUIT,PIPE "$@" </dev/null >"$name.out" 2>"$name.err" &
	PID=$!
}

# wait_for PID [SECONDS]: waits until it has ended by itself and sets STATUS. Fails at the deadline, and
# kills it.
wait_for()
{
	local late=0
	# bash tells of a job that was killed as soon as it sees it
	retry "${2:-$PATIENCE}" gone "$1" 2>/dev/null || late=1
	[ $late -eq 0 ] || kill -KILL "$1" 2>/dev/null
	STATUS=0
	wait "$1" 2>/dev/null || STATUS=$?
	return $late
}

# stop PID [SIGNAL]: sends it, TERM by default, and waits for the end as wait_for does.
stop()
{
	kill "-${2:-TERM}" "$1" 2>/dev/null
	wait_for "$1"
}

# start_server [OPTION]...: starts the server on a free port of 127.0.0.1 and waits until it listens.
# Sets SERVER_PID, HOST and PORT, which is empty with -host unix:PATH. What it prints goes to server.out and server.err, its log is
# logging.log; an option given here overrides. Bails out where it does not start. With RECEIVE set in the
# environment it has -receive, too, and the options in TLS: see receive_own.test and tls_again.test.
start_server()
{
	local fifo=$SCRATCH/.ready.$RANDOM$RANDOM port=(-port 0)
	mkfifo "$fifo" || bail_out "no fifo"
	[[ " $* " != *" -host unix:"* ]] || port=()
	# shellcheck disable=SC2086 # options
	env --default-signal=INT,QUIT,PIPE "$SERVER" "${port[@]}" -ready 9 \
		${RECEIVE:+-receive "$RECEIVE"} ${TLS:-} "$@" \
		</dev/null >server.out 2>server.err 9>"$fifo" &
	SERVER_PID=$!
	if ! read -r -t "$PATIENCE" HOST PORT <"$fifo"; then
		diag <server.err
		bail_out "the server does not start: $SERVER ${port[*]} $*"
	fi
	rm -f "$fifo"
}

# Drains the server; sets STATUS.
stop_server()
{
	stop "$SERVER_PID" "$@"
}

# Checks that a server which has ended well has nothing to complain of.
server_was_silent()
{
	local name=${1:-the server says nothing on stderr}
	if [ ! -s server.err ]; then
		pass "$name"
	else
		fail "$name" "$(head -n 20 server.err)"
	fi
}

# limit_server LIMIT...: servers started from now on have these limits; options of ulimit.
limit_server()
{
	printf '#!/bin/sh\nulimit %s && exec "%s" "$@"\n' "$*" "$SERVER" >limited-server
	chmod +x limited-server
	SERVER=$SCRATCH/limited-server
}

# Resident memory of a process in kB, and the CPU time it has used in ticks of 10 ms.
memory()
{
	sed -n 's/^VmRSS:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$1/status"
}

ticks()
{
	local stat
	stat=$(<"/proc/$1/stat")
	# shellcheck disable=SC2086 # split behind the name, which may hold blanks
	set -- ${stat##*) }
	echo $((${12} + ${13}))
}

# read_words FILE ARRAY: sets it to the words of the first line, if the file has the whole of it.
read_words()
{
	[ -f "$1" ] && read -r -a "$2" <"$1"
}

# hold_ports COUNT: sets HELD to ports of 127.0.0.1 that are this script's until its end: a server that is
# started on one, again and again, finds it free. A socket is bound there and does not listen, so that the
# kernel gives the port to no other socket, and connections are refused while no server runs.
hold_ports()
{
	start held python3 -c 'import signal, socket, sys
held = []
for _ in range(int(sys.argv[1])):
    held.append(socket.socket())
    held[-1].setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    held[-1].bind(("127.0.0.1", 0))
print(*(one.getsockname()[1] for one in held), flush=True)
signal.pause()' "$1"
	retry "$PATIENCE" read_words held.out HELD || bail_out "no ports: $(cat held.err)"
}

# be_many: raises limits for 10,000 connections and as many threads. Fails, and sets REASON, where that
# cannot be. The kernel has not numbers for two such tests at once, in whatever clones they run: no other
# gets past here until this script ends.
be_many()
{
	local limit pids threads
	limit=$(ulimit -Hn)
	pids=$(cat /sys/fs/cgroup/pids.max 2>/dev/null || echo max)
	if [ "$SANITIZER" != no ]; then
		REASON="a sanitizer does not take as many threads"
	elif [ "$limit" != unlimited ] && [ "$limit" -lt 10040 ]; then
		REASON="the descriptor limit is $limit"
	elif [ "$pids" != max ] && [ "$pids" -lt 12000 ]; then
		REASON="only $pids threads are allowed"
	elif ! exec {MANY}</tmp || ! flock -w $((PATIENCE * 4)) "$MANY"; then
		REASON="another test has as many"
	else
		read -r _ _ _ threads _ </proc/loadavg
		threads=$(($(cat /proc/sys/kernel/pid_max) - ${threads#*/}))
		[ $threads -ge 12000 ] && ulimit -Sn "$limit" && return
		REASON="there is room for $threads threads"
	fi
	return 1
}

# Puts load on a server in the background and sets LOAD_PID: start_load CONNECTIONS WINDOW LINES
# PREFIX, LINES for each connection, 0: until the connections end or it gets SIGTERM. When it has
# ended, PREFIX.acked holds the lines that were acknowledged, PREFIX.errors the other answers, and
# PREFIX.out says how many lines it has sent.
start_load()
{
	start "$4" python3 "$tests_directory/peer.py" "$HOST" "$PORT" "$@"
	LOAD_PID=$PID
}

# numbers: lines with 1, 2, 3 and so on, until the file "enough" is there; how many there were is in the file "last" then.
# A client that reads them from a FIFO goes on for as long as a test wants lines, on a machine of any speed. They are so
# long that a FIFO has few of them.
numbers()
{
	local last=0
	until [ -e enough ]; do
		seq -f 'line number %020.0f' $((last + 1)) $((last + 100)) || break
		last=$((last + 100))
	done
	echo "$last" >last
}

# Starts a server that treats lines as told, and sets MOCK_PID, HOST and PORT: start_mock ORDER...,
# one for each line, the last for all that follow. An order is what to answer, or one of mute,
# close, half (an answer), reset, bytes (ok and CR LF, byte by byte). What it gets is in mock.lines.
start_mock()
{
	start mock python3 "$tests_directory/mock_server.py" "$@"
	MOCK_PID=$PID
	HOST=127.0.0.1
	retry "$PATIENCE" test -s mock.out || bail_out "the mock does not start: $(cat mock.err)"
	PORT=$(cat mock.out)
}

# shellcheck source=tests/lib_logs.sh
. "$tests_directory/lib_logs.sh"
