# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the test scripts ask of the server's text logs. lib.sh sources it.

# The lines that were received, out of logs.
received()
{
	LC_ALL=C sed -n 's/^INFO\t| [-0-9]* [:0-9]* --[^ ]* received: //p' "$@"
}

# A log without times, and with PEER for clients' addresses.
records()
{
	LC_ALL=C sed -e 's/^\([A-Z]*\)\t| [-0-9]* [:0-9]* --/\1 /' \
		-e 's/ 127\.0\.0\.1:[0-9]* / PEER /' -e 's/ \[::1\]:[0-9]* / PEER6 /' "$@"
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
