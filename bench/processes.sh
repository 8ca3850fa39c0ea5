# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154
# The processes of bench/run: how they are started, waited for, placed on CPUs and stopped. It is read by
# bench/run, and uses what that has set: bench, builddir, scratch, patience and round.

own=()         # servers of ours that run
contestants=() # NAME PROTOCOL SYNC PORT PID of those that are measured

all_cpus=$(taskset -cp $$ | sed 's/.*: //')
first_cpu=${all_cpus%%[-,]*}
last_cpu=${all_cpus##*[-,]}

# await COMMAND...: runs it to its end, or its deadline, where a signal ends both at once.
await()
{
	timeout -k 5 "$patience" "$@" &
	wait $!
}

gone()
{
	! kill -0 "$1" 2>/dev/null
}

# stop PID: at once if it ends when told to, else at a deadline.
stop()
{
	local tries
	kill "$1" 2>/dev/null
	for ((tries = 0; tries < 500; tries++)); do
		gone "$1" && break
		sleep 0.02
	done
	gone "$1" || kill -KILL "$1" 2>/dev/null
	wait "$1" 2>/dev/null
	return 0
}

stop_own()
{
	local pid
	for pid in "${own[@]}"; do
		stop "$pid"
	done
	own=()
}

stop_all()
{
	stop_own
	[ ! -d "$scratch/peers" ] || "$bench/peers" stop "$scratch/peers" </dev/null
}

# ready_from FIFO: a server writes HOST PORT there; sets host and port.
ready_from()
{
	if ! read -r -t 10 host port <"$1"; then
		complain "a server does not start"
		exit 1
	fi
	rm -f "$1"
}

# start_server [OPTION]...: sets host, port and pid; stdout stays the caller's.
start_server()
{
	rm -f ready
	mkfifo ready
	"$builddir/server" -port 0 -log "$scratch/ackline.log" -ready 9 "$@" \
		</dev/null 9>ready 2>>"$scratch/server.err" &
	pid=$!
	own+=("$pid")
	ready_from ready
}

# start_printing COMMAND...: the same of a program that prints HOST PORT when it listens.
start_printing()
{
	rm -f ready
	mkfifo ready
	"$@" </dev/null >ready 2>>"$scratch/server.err" &
	pid=$!
	own+=("$pid")
	ready_from ready
}

start_peers()
{
	local name reason
	rm -rf peers
	"$bench/peers" start "$scratch/peers" >/dev/null 2>peers.missing </dev/null &
	wait $!
	while IFS=: read -r _ name reason; do
		leave_out "${name# }" "${reason# }"
	done <peers.missing
}

# CPU time that all contestants have used, in ticks of 10 ms.
ticks()
{
	local contestant stat sum=0
	for contestant in "${contestants[@]}"; do
		stat=$(<"/proc/${contestant##* }/stat") || continue
		# shellcheck disable=SC2086 # split behind the name, which may hold blanks
		set -- ${stat##*) }
		sum=$((sum + ${12} + ${13}))
	done
	echo "$sum"
}

# Waits until what somebody has put off is done, or the next one would pay for it.
settle()
{
	local before after tries
	after=$(ticks)
	for ((tries = 0; tries < 100; tries++)); do
		before=$after
		sleep 0.05
		after=$(ticks)
		[ $((after - before)) -gt 1 ] || return 0
	done
}

# With one request in flight, the kernel now and then keeps both ends on one CPU, which is eight times as
# fast and a lottery. So then it is said where they are, apart or together: place HOW PID; prefix is for
# the other end. Whatever else is HOW, the kernel chooses.
place()
{
	local cpu
	case $1 in
	apart) cpu=$last_cpu ;;
	together) cpu=$first_cpu ;;
	*)
		prefix=()
		return
		;;
	esac
	taskset -acp "$first_cpu" "$2" >/dev/null
	prefix=(taskset -c "$cpu")
}

replace()
{
	[ ${#prefix[@]} -eq 0 ] || taskset -acp "$all_cpus" "$1" >/dev/null
}
