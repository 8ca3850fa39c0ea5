# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2154
# What README and docs/ show, as tests: check_document runs the commands of a document, one after the
# other in a folder of its own, and compares what they print with what is shown below them. A command is a line of
# an indented block that begins with "$ ". Where a block has a line [...] the lines shown have to be
# printed in that order, with any others between them; without it they are all that is printed.

# What needs root, another machine or a user is not run: only the options of our programs in it are tried.
cannot_run='^(\./bootstrap( &&| check$)|\./configure|sudo |systemctl |PATH=|make |tail .*-F|vi )'

# steps DOCUMENT: the lines of its indented blocks, and "---" before each block.
steps()
{
	awk '
		/^    / { if (!inside) print "---"; inside = 1; sub(/^ +/, ""); print; next }
		{ inside = 0 }' "$1"
}

# shape: what of each line on stdin is the same in every run: numbers, times and chance are not.
shape()
{
	sed -E 's/^ +//; s|/[0-9a-f]{16}\b|/ID|g; s/[0-9]+([.,:-][0-9]+)*/N/g; s/N ?(ns|µs|ms|s)\b/N time/g; s/torn ends/torn end/g
		s/chars [A-Za-z]+$/chars X/; s/#+/#/'
}

# shown: the lines of expected.shape are those of printed.shape, or else it says what is not so.
shown()
{
	awk '
		FNR == NR && $0 == "[...]" { gaps = 1; next }
		FNR == NR { expected[++count] = $0; next }
		$0 == expected[found + 1] { found++; next }
		!gaps && !other { other = $0 }
		END {
			if (found < count)
				print "not printed: " expected[found + 1]
			if (other)
				print "printed, but not shown: " other
			exit found < count || other != ""
		}' expected.shape printed.shape
}

listens()
{
	(exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# run_command COMMAND: with free ports in the place of those of the document, and no limit of time. What
# it prints goes to the file printed.
run_command()
{
	local command=$1
	command=${command//2005/${HELD[0]}}
	command=${command//7001/${HELD[1]}}
	command=${command//2006/${HELD[2]}}
	command=${command//p99<[0-9]*ms/p99<60s}
	command=${command/#.\/bootstrap run/runall -host 127.0.0.1 -port 0 -cl 5}
	eval "$command" >printed 2>&1 </dev/null || return
	case $command in
	*'&')
		DOCUMENT_JOBS="$! $DOCUMENT_JOBS"
		command=${command#*-port }
		retry "$PATIENCE" listens "${command%% *}"
		;;
	esac
}

# check_step NAME COMMAND
check_step()
{
	local programs
	if [[ $2 =~ $cannot_run ]]; then
		programs=$(grep -oE '\b(server|client|runall) -[^|&]*' <<<"$2") || return
		ok "$1: the options exist" eval "$programs -help >/dev/null"
		return
	fi
	ok "$1" run_command "$2" || head -n 40 printed | diag
	[ -s expected ] || return
	shape <expected >expected.shape
	shape <printed >printed.shape
	ok "$1: prints what is shown" shown || tail -n 40 printed | diag
}

# check_document DOCUMENT: a path in the source tree. Sets DOCUMENT_FOLDER to where its commands ran.
check_document()
{
	local command='' line job
	DOCUMENT_FOLDER=$SCRATCH/${1//\//.}.folder
	mkdir "$DOCUMENT_FOLDER"
	cd "$DOCUMENT_FOLDER" || return
	: >expected
	DOCUMENT_JOBS=
	hold_ports 3
	PATH=$builddir:$PATH
	while IFS= read -r line; do
		case $line in
		--- | "$ "*)
			[ -z "$command" ] || check_step "$1: $command" "$command"
			: >expected
			command=${line#---}
			command=${command#"$ "}
			;;
		*)
			[ -z "$command" ] || echo "$line" >>expected
			;;
		esac
	done < <(steps "$srcdir/$1" && echo ---)
	# in that order, as a relay waits for the server that was started before it
	for job in $DOCUMENT_JOBS; do
		stop "$job"
	done
	cd "$SCRATCH" || return
}
