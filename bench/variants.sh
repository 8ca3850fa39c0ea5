# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The ways of ackline that bench/run measures beside a plain file, in fewer cells: numbered lines, TLS, a
# database, records on stdout, a relay, and a receiving thread for each connection; beside them the bare
# responder. What is not built is left out. It is read by bench/run behind processes.sh.

# start_ackline NAME PROTOCOL SYNC [OPTION]...
start_ackline()
{
	start_server -quiet -sync "$3" -log "$scratch/$1.log" "${@:4}"
	contestants+=("$1 $2 $3 $port $pid")
}

# Its key is of the kind that docs/securing.md makes.
make_certificate()
{
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out ca.pem >/dev/null 2>&1 || rm -f ca.pem
}

# has NAME PROGRAM ARGUMENT...: whether it is built with what the arguments need.
has()
{
	local name=$1 program=$builddir/$2
	shift 2
	! "$program" "$@" 2>&1 </dev/null | grep -q "has no $name"
}

start_variants()
{
	start_ackline ackline-own line write -receive own
	start_ackline ackline-own-disk line disk -receive own
	start_ackline ackline-once once write -service once
	start_ackline ackline-once-disk once disk -service once
	start_tls
	start_sqlite
	start_stdout
	start_printing "$builddir/bench/floor"
	contestants+=("floor line none $port $pid")
}

start_tls()
{
	if ! has TLS server -tls-cert none; then
		leave_out TLS "configure --with-openssl"
	elif [ ! -s ca.pem ]; then
		leave_out TLS "openssl is not installed"
	else
		start_ackline ackline-tls tls write -tls-cert "$scratch/ca.pem" -tls-key "$scratch/key.pem"
	fi
}

start_sqlite()
{
	if ! has SQLite runall -check -log sqlite:none; then
		leave_out SQLite "configure --with-sqlite3"
		return
	fi
	start_ackline ackline-sqlite line write -log "sqlite:$scratch/write.db"
	start_ackline ackline-sqlite-disk line disk -log "sqlite:$scratch/disk.db"
}

# Its stdout is the log, a pipe that is read.
start_stdout()
{
	local reader
	rm -f records
	mkfifo records
	cat records >/dev/null &
	reader=$!
	start_server -log - >records
	contestants+=("ackline-stdout line write $port $pid")
	own+=("$reader") # it ends with the server
}

# A relay goes on forwarding when its lines are acknowledged, and the next one measured would pay for it: so
# each has its own servers, which are killed.
measure_relays()
{
	local cell
	for cell in $variant_cells; do
		measure_relay ackline-relay "$cell" '' ok
		measure_relay ackline-relay-once "$cell" once: once
	done
}

# measure_relay NAME CELL PREFIX SERVICE
measure_relay()
{
	start_server -quiet -service "$4" -log "$scratch/next.log"
	start_server -quiet -log "$scratch/relay.log" -next "$3$host:$port"
	measure "$2" "$1" line write "$port" "$pid"
	kill -KILL "${own[@]}"
	wait "${own[@]}" 2>/dev/null
	own=()
	rm -f relay.log* next.log*
}

# What showing the records costs: stdout is a terminal, a pipe, or a pipe that is not read.
measure_tees()
{
	rm -f name
	mkfifo name
	python3 "$bench/terminal.py" >name &
	own+=($!)
	read -r -t 10 terminal <name
	start_server >"$terminal"
	measure "$tee_cell" ackline-terminal line write "$port" "$pid"
	stop_own

	rm -f pipe
	mkfifo pipe
	cat pipe >/dev/null &
	own+=($!)
	start_server >pipe
	measure "$tee_cell" ackline-pipe line write "$port" "$pid"
	stop_own

	exec 7<>pipe
	start_server >pipe
	measure "$tee_cell" ackline-stuck line write "$port" "$pid"
	stop_own
	exec 7<&-
}
