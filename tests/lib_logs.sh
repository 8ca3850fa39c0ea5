# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the test scripts ask of the server's text logs, and what the programs say in most runs: it is put
# into words here, once. lib.sh sources it.

# What the client's report begins with when all its lines are acknowledged: report LINES.
report()
{
	local s=s
	[ "$1" != 1 ] || s=
	echo "client: $1 line$s sent, $1 acknowledged, 0 lost"
}

# What runall says when all lines of its clients are in the log: verdict LINES [LOG [SERVICE]].
verdict()
{
	case ${3:-ok} in
	ok) echo "$1 lines sent, $1 acknowledged, $1 in ${2:-logging.log}, $(in_order_of ok)" ;;
	echo) echo "$1 lines sent, $1 echoed, $1 in ${2:-server.log}, $(in_order_of echo)" ;;
	relay) echo "$1 lines received, $1 saved in the order of their arrival, 0 twice" ;;
	esac
}

in_order_of()
{
	case $1 in
	ok) echo "every client in strict order" ;;
	echo) echo "each echo as it was sent" ;;
	esac
}

# What stands in the log behind half a line that a killed server has left.
TORN="the line before this one is torn"

# A log without the halves of lines that have been noted. The beginning of a line can look like another
# line: it is left out before lines are counted.
without_torn()
{
	LC_ALL=C sed -E -e '$!N' -e "/\n.* --server $TORN/s/^[^\n]*\n//" -e 'P;D' "$@"
}

# The lines that were received, out of logs, without halves that have been closed; over TLS a name stands behind the
# address.
received()
{
	LC_ALL=C sed -n '/\\x(torn)$/d; s/^INFO\t| [-0-9]* [:0-9]* --[^ ]* \(([^ ]*) \)\?received: //p' "$@"
}

# numbered SENDER LOG...: its lines in the logs, as NUMBER LINE, without halves that have been closed.
numbered()
{
	local sender=$1
	shift
	cat -- "$@" | LC_ALL=C sed -n "/\\\\x(torn)\$/d; s|^INFO\t. [-0-9]* [:0-9]* --[^ ]* \(([^ ]*) \)\?$sender#\([0-9]*\) received: |\2 |p"
}

# is_whole NAME FILE SENDER LOG...: each line of the file is in the logs, once and in order.
is_whole()
{
	local name=$1
	nl -b a -w 1 -s ' ' "$2" >.expected
	numbered "${@:3}" >.got
	ok "$name" cmp .expected .got
}

# A log without times, and with PEER for clients' addresses and names.
records()
{
	LC_ALL=C sed -e 's/^\([A-Z]*\)\t| [-0-9]* [:0-9]* --/\1 /' \
		-e 's/ 127\.0\.0\.1:[0-9]* \(([^ ]*) \)\?/ PEER /' -e 's/ \[::1\]:[0-9]* \(([^ ]*) \)\?/ PEER6 /' "$@"
}

# What a client with N threads and M iterations sends, in order: turns N M.
turns()
{
	local thread iteration
	for ((iteration = 1; iteration <= $2; iteration++)); do
		for ((thread = 0; thread < $1; thread++)); do
			echo "Thread $thread, iteration $iteration"
		done
	done
}

# Lines of logs that are no records.
garbage()
{
	cat -- "$@" | LC_ALL=C grep -Eva \
		-e '^(INFO|WARNING)	\| [0-9]{4}(-[0-9]{2}){2} [0-9]{2}(:[0-9]{2}){2} --[^ ]+ '
}

# acked_are_logged NAME ACKED LOG...: every line of ACKED was received, none twice.
acked_are_logged()
{
	local name=$1 acked=$2 missing doubled
	shift 2
	received "$@" | sort >.logged
	missing=$(sort "$acked" | comm -23 - .logged | head -n 5)
	doubled=$(uniq -d .logged | head -n 5)
	if [ -s "$acked" ] && [ -z "$missing$doubled" ]; then
		pass "$name"
	else
		fail "$name" "$(wc -l <"$acked") acknowledged" $'\n'"missing: $missing" \
			$'\n'"doubled: $doubled"
	fi
}
