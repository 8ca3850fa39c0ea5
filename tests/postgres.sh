# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034
# A PostgreSQL of the test's own, on a socket in its scratch folder. To be sourced behind lib.sh; a script that needs it
# and finds none is skipped.

need_libpq
newest=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
PATH=$PATH:${newest%/initdb}
need initdb postgres psql

# It refuses to run as root: then another user has the database.
as_database=()
if [ "$(id -u)" -eq 0 ]; then
	need setpriv
	database_user=postgres
	id -u postgres >/dev/null 2>&1 || database_user=nobody
	as_database=(setpriv --reuid "$database_user" --regid "$(id -g "$database_user")" --clear-groups)
	chmod o+x "$SCRATCH"
fi

DATABASE=$SCRATCH/database
# what stands behind -log; and through a proxy
CONNINFO="host=$DATABASE user=ackline dbname=postgres"
PG=postgresql:$CONNINFO
PROXY=$SCRATCH/proxy
PG_PROXY="postgresql:host=$PROXY user=ackline dbname=postgres"

# psql -f -, with nothing around the result.
sql()
{
	PGOPTIONS='-c client_min_messages=error' psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$DATABASE" -U ackline postgres -c "$1"
}

database_answers()
{
	sql 'SELECT 1' >/dev/null 2>&1
}

# start_database [NAME=VALUE]...: with these settings. It is waited for. Without JIT: for a query on all partitions of the
# log, which have no statistics yet, the compiler takes seconds, on a busy machine longer than a server waits for a row.
start_database()
{
	local setting settings=()
	for setting; do
		settings+=(-c "$setting")
	done
	"${as_database[@]}" postgres -D "$DATABASE" -c listen_addresses= -c unix_socket_directories="$DATABASE" \
		-c logging_collector=off -c jit=off -c shared_buffers=16MB "${settings[@]}" >>postgres.log 2>&1 &
	DATABASE_PID=$!
	retry "$PATIENCE" database_answers || bail_out "no database: $(tail -n 5 postgres.log)"
}

# stop_database [SIGNAL]: at once by default; QUIT is a crash.
stop_database()
{
	kill -"${1:-INT}" "$DATABASE_PID"
	wait "$DATABASE_PID" 2>/dev/null
}

is_set()
{
	[ "$(sql "SHOW $1")" = "$2" ]
}

# set_database NAME VALUE: a setting of the running one. Whether a commit waits for standbys is told to all by the
# checkpointer, which has read the setting when it has made a checkpoint.
set_database()
{
	sql "ALTER SYSTEM SET $1 = '$2'"
	sql 'SELECT pg_reload_conf()' >/dev/null
	retry "$PATIENCE" is_set "$1" "$2" || bail_out "$1 is not $2"
	sql CHECKPOINT
}

# a fast shutdown: the usual one waits for its clients
cleanup()
{
	[ -z "${DATABASE_PID:-}" ] || kill -INT "$DATABASE_PID" 2>/dev/null
	wait
}

# logged: the lines that were received, in order, escaped.
logged()
{
	sql "SELECT encode(bytes, 'escape') FROM record WHERE event = 'received' ORDER BY id"
}

mkdir "$DATABASE"
[ ${#as_database[@]} -eq 0 ] || chown "$database_user" "$DATABASE"
"${as_database[@]}" initdb --no-sync -A trust -U ackline -E UTF8 --locale C -D "$DATABASE" >initdb.log 2>&1 ||
	bail_out "no database: $(tail -n 5 initdb.log)"
