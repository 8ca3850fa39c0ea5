# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# Killing and promoting: to be sourced by cluster, which has the servers, their ports and numbers.

gone()
{
	local pid
	for pid; do
		[ ! -e "/proc/$pid/exe" ] || return 1
	done
}

# Kills a server with all of its processes.
crash()
{
	local pid all
	pid=$(pid_of "$1") || die "s$1 does not run"
	all="$pid $(cat "/proc/$pid/task/$pid/children")"
	# shellcheck disable=SC2086 # one word each
	kill -KILL $all 2>/dev/null
	# shellcheck disable=SC2086
	retry gone $all || die "s$1 does not end"
	echo "$program: killed s$1"
}

kill_primary()
{
	local i
	i=$(primary) || die "kill-primary: there is none"
	crash "$i"
}

kill_standby()
{
	local all
	mapfile -t all < <(standbys)
	[ ${#all[@]} -gt 0 ] || die "kill-standby: there is none"
	crash "${all[0]}"
}

receives_nothing()
{
	[ "$(ask "$1" "select count(*) from pg_stat_wal_receiver" 2>/dev/null)" = 0 ]
}

promote()
{
	local all=() i first other further place
	for i in 0 1 2; do
		! runs $i || case $(role_of $i) in
		primary) die "promote: s$i is the primary, and answers" ;;
		standby) all+=("$i") ;;
		esac
	done
	[ ${#all[@]} = 2 ] ||
		die "promote: ${#all[@]} of 2 standbys answer, and one that does not may have rows that the others lack"
	first=${all[0]} other=${all[1]}
	# From here on the old primary, if it is only cut off, can commit nothing: what it has committed is on one
	# of the two.
	for i in "$first" "$other"; do
		follow "$i" "" || die "promote: s$i cannot be moved away from the old primary"
		retry receives_nothing "$i" || die "promote: s$i still receives from the old primary"
	done
	place=$(ask "$first" "select $position")
	further=$(ask "$other" "select case when '$place'::pg_lsn >= $position then $first else $other end")
	[[ $further =~ ^[0-2]$ ]] || die "promote: the positions of s$first and s$other cannot be compared"
	[ "$further" != "$other" ] || other=$first
	# One that only does not answer would be found as a primary once it does, and let all commits wait.
	for i in 0 1 2; do
		[ "$i" = "$further" ] || [ "$i" = "$other" ] || ! runs "$i" || crash "$i"
	done
	[ "$(ask "$further" "select pg_promote(true, $patience)")" = t ] || die "promote: s$further does not become the primary"
	follow "$other" "$further" || die "promote: s$other does not follow"
	retry streams "$further" 1 || die "promote: s$other does not follow: $(complaint "$other")"
	echo "$program: s$further is the primary, s$other follows it"
}

rejoin()
{
	local from i away=()
	from=$(primary) || die "rejoin: there is no primary"
	for i in 0 1 2; do
		[ "$i" = "$from" ] || follows "$from" "$i" || away+=("$i")
	done
	[ ${#away[@]} -gt 0 ] || die "rejoin: all servers run"
	for i in "${away[@]}"; do
		! runs "$i" || crash "$i"
		as rm -rf "$(data "$i")"
	done
	copies "$from" "${away[@]}" || exit 1
	retry streams "$from" 2 || die "rejoin: not all standbys follow s$from"
	echo "$program: ${#away[@]} rejoined, s$from is the primary"
}
