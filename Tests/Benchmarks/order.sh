#!/usr/bin/env bash
# Records which functions the linker places side by side: Sources/zkcli/Release/order.txt has the names of all functions
# that commands execute, the most frequent commands first. A command then has a few pages of 18 MB of code in memory, and
# not most of them.
#
#   Tests/Benchmarks/order.sh [ZKCLI]
#
#   ZKCLI   a release build with its symbols (default: .build/release/zkcli; build it with the command of the README)
#
# Names that are gone do no harm, and functions that are missing only cost memory: run it when `all.sh --row get` misses
# its bar. Needs valgrind.
set -euo pipefail
[[ ${1:-} != -h && ${1:-} != --help ]] || { sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2; }
export LC_ALL=C
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
zkcli=$(realpath "${1:-$repository/.build/release/zkcli}")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# callgrind cannot read the debugging information, and needs only the names.
strip --strip-debug -o "$work/zkcli" "$zkcli"
nm "$work/zkcli" | awk '$2 ~ /^[tTwW]$/ { print $3 }' | sort -u > "$work/symbols"

# trace COMMAND...: adds the names of the functions that a command executes.
trace() {
  local profile=$work/profile
  valgrind --tool=callgrind --demangle=no --callgrind-out-file="$profile" "$work/zkcli" "$@" > /dev/null 2> "$work/errors" \
    || { cat "$work/errors" >&2; exit 1; }
  sed -nE "s/^c?fn=\([0-9]+\) ([^']*).*/\1/p" "$profile" >> "$work/executed"
}

# What is done most, first; the children of `--local` find its server in ZKCLI_SERVER.
export work
export -f trace
"$zkcli" --quiet --local -- bash -euo pipefail -c '
  trace create /order 1
  : > "$work/executed"
  trace get /order
  trace set /order 2
  trace create /order/a 3
  trace ls /order
  trace exists /order
  trace get -o json /order
  printf "%s\n" "create /order/b" "ls -R /order" "stat /order" "delete /order/b" | trace
  trace deleteall /order
'
trace --quiet --local <<< 'exists /'
trace --quiet --local 3 <<< 'exists /'
trace --version
awk 'NR == FNR { is_there[$1] = 1; next } ($1 in is_there) && !seen[$1]++' "$work/symbols" "$work/executed" \
  > "$repository/Sources/zkcli/Release/order.txt"
wc -l "$repository/Sources/zkcli/Release/order.txt"
