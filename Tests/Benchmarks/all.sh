#!/usr/bin/env bash
# Every row of the benchmarks in one table: work, measured, bar, ratio, verdict. Beside ours are floors in C, which do
# the least that the work needs, and the peers that are installed: Apache's 3.8.0, etcd, Redis, cli_mt.
#
#   Tests/Benchmarks/all.sh [--row ROW...] [--list] [--scale FACTOR] [--smoke] [--runs N] [--patience SECONDS]
#                           [--peers NAMES] [--json FILE] [ZKCLI]
#
#   -r, --row ROW...     only these rows; --list prints their names
#   --scale FACTOR       how long samples take, and how many watchers, sessions and znodes there are (default 1)
#   --smoke              a run of under two minutes that shows whether the kit works; its figures mean nothing
#   --runs N             samples of each target (default 3); figures are medians of those that others did not disturb
#   --patience SECONDS   the longest wait for a quiet machine before a sample (default 20)
#   --peers NAMES        of: apache,etcd,redis (default: all of them)
#   --json FILE          where the machine, all samples and the table go as JSON
#   ZKCLI                the binary, a path with a slash (default: .build/release/zkcli; build it with the flags of the
#                        README)
#
# The bars are in rows/bars.txt; what each floor does, and why, is said in zkload/limits.c, zkload/floors.c,
# zkload/trees.c and fan-out.c. Targets are measured in turn, A B A B, on free ports of loopback, in a temporary
# directory: TMPDIR says on which disk. CPU is what the kernel accounts to the servers' processes. The whole run needs
# about 12 GiB of memory, 16 GiB of disk and an hour, most of it for the rows with 10,000,000 znodes; 100,000 sessions
# need as many descriptors (ulimit -n). Needs a C compiler and Python 3, for the row instructions valgrind; a peer that
# is not installed gets a word in its line. Exits with 1 if a bar is missed, with 2 if a row could not be measured.
set -euo pipefail
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2; }
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
# The last word is the binary if it has a slash and is not the value of --json.
binary='' options=("$@") last='' previous=''
if (($# > 0)); then last=${*: -1}; fi
if (($# > 1)); then previous=${*: -2:1}; fi
if [[ $last == */* && $last != -* && $previous != --json ]]; then
  binary=$last
  unset 'options[-1]'
fi
zkcli=$(find_binary "$binary")
cc -O2 -pthread -o "$load/fan-out" "$repository/Tests/Benchmarks/fan-out.c"
mkdir "$work/rows"
# It ends its servers when it is ended with this script.
python3 "$repository/Tests/Benchmarks/rows/run.py" "$load" "$work/rows" "$zkcli" "${options[@]}" &
runner=$!
trap 'kill "$runner" 2> /dev/null || true; wait "$runner" 2> /dev/null || true; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM
wait "$runner"
