# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# The drill: to be sourced by cluster, behind failover.sh.

# holds_back I: the standby receives nothing any more.
hold_back()
{
	follow "$1" ""
	retry receives_nothing "$1" || die "drill: s$1 cannot be held back"
}

# rows N: how many lines of this drill the database has, how many different ones, and how many of these up to number N.
rows()
{
	local i number="split_part(encode(bytes, 'escape'), ' ', 2)::bigint"
	i=$(primary) && ask "$i" "select count(*), count(distinct $number), count(distinct $number) filter (where $number <= $1)
		from record where event = 'received' and encode(bytes, 'escape') like '$drill %'" 2>/dev/null
}

has_more_than()
{
	local count
	count=$(rows 0) && [ "${count%%|*}" -gt "$1" ]
}

drill_round()
{
	local before i victim=$(($2 % 2))
	before=$(rows 0) || die "drill: there is no primary"
	retry has_more_than $((${before%%|*} + 200)) || die "drill: no lines come: $(tail -n 1 "$place/client.err")"
	if [ "$1" = behind ]; then
		for i in $(standbys); do hold_back "$i"; done
		before=$(rows 0)
		retry has_more_than $((${before%%|*} + 200)) || die "drill: no lines come without a standby: the kill would prove nothing"
	fi
	if [ "$1" = once ]; then
		kill -KILL "${server_pids[victim]}" && wait "${server_pids[victim]}" 2>/dev/null
		echo "$program: killed server $((victim + 1))"
	fi
	kill_primary && promote && rejoin || exit 1
	[ "$1" != once ] || drill_server "$victim" "$1"
}

# with_script COMMAND...: in place of this shell; it is killed when the script is.
with_script()
{
	local with=(setpriv --pdeathsig KILL --)
	"${with[@]}" true 2>/dev/null || with=()
	exec "${with[@]}" "$@"
}

# drill_server I HOW: starts it, again at its port.
drill_server()
{
	local service=ok
	[ "$2" != once ] || service=once
	with_script "$ackline/server" -service $service -port "${server_ports[$1]:-0}" -ready 9 -quiet -sync disk -timeout "$patience" \
		-log "$log" </dev/null 2>>"$place/server.err" 9>"$place/ready$1" &
	server_pids[$1]=$!
	read -r -t "$patience" _ "server_ports[$1]" <"$place/ready$1" ||
		die "drill: the server does not start: $(tail -n 1 "$place/server.err")"
}

# Starts all, and sets server_pids and client_pid.
drill_start()
{
	local load=(-duration 1d -delay 1ms)
	log=postgresql:$(conninfo)
	ask "$(primary)" "select to_regclass('record')" | grep -q . ||
		"$ackline/server" -log "$log" -init run || die "drill: there are no tables"
	mkfifo "$place"/ready{0,1} || exit 1 # one may still be open when the next server starts
	drill_server 0 "$1"
	if [ "$1" = once ]; then
		drill_server 1 "$1"
		load=(-service once -source "$drill" -ni 1000000000 -rate 1000 -window 50 -retry 1d)
	fi
	with_script "$ackline/client" -host "$(printf ',127.0.0.1:%s' "${server_ports[@]}" | cut -c 2-)" -nt 1 -message "$drill %i" \
		-timeout $((patience + 10)) "${load[@]}" -quiet </dev/null 2>"$place/client.err" &
	client_pid=$!
}

drill_end()
{
	[ -z "$client_pid" ] || kill "$client_pid" 2>/dev/null
	[ ${#server_pids[@]} = 0 ] || kill "${server_pids[@]}" 2>/dev/null
	wait
	rm -rf "$place"
}

drill()
{
	local rounds=3 how='' i told found=()
	while [ $# -gt 0 ]; do
		case $1 in
		-behind | -once)
			[ "${how:-${1#-}}" = "${1#-}" ] || bad "drill: -behind: not with -once"
			how=${1#-}
			;;
		-rounds)
			[[ ${2:-} =~ ^[1-9][0-9]{0,3}$ ]] || bad "-rounds: a number from 1 to 9999 is needed, not '${2:-}'"
			rounds=$2
			shift
			;;
		*) bad "drill: '$1' is no option of it" ;;
		esac
		shift
	done
	ackline=${ACKLINE_BIN:-$(dirname "$(command -v client || echo /missing/client)")}
	[[ -x $ackline/server && -x $ackline/client ]] || die "drill: no server and client in $ackline; set ACKLINE_BIN"
	i=$(primary) || die "drill: there is no primary"
	[ "$how" != behind ] || [ -z "$(ask "$i" "show synchronous_standby_names")" ] ||
		die "drill: -behind: a commit of this cluster waits for a standby; start -async makes one whose commits do not"
	place=$(mktemp -d "$dir/drill.XXXXXX") || exit 1
	server_pids=() server_ports=() client_pid='' drill=drill-$(od -An -N 6 -tx1 /dev/urandom | tr -d ' \n')
	trap drill_end EXIT
	drill_start "$how"
	for ((i = 0; i < rounds; i++)); do drill_round "$how" $i; done
	kill "$client_pid" && wait "$client_pid"
	told=$(sed -n 's/^client: .* sent, \([0-9]*\) acknowledged.*/\1/p' "$place/client.err")
	[ -n "$told" ] || die "drill: the client says: $(head -n 1 "$place/client.err")"
	IFS='|' read -r -a found < <(rows "$told")
	[ ${#found[@]} = 3 ] || die "drill: the rows cannot be counted"
	echo "$program: $rounds kills, $told lines acknowledged, $((told - found[2])) missing, $((found[0] - found[1])) there twice"
	[[ $told -gt 0 && $told = "${found[2]}" && ${found[0]} = "${found[1]}" ]]
}
