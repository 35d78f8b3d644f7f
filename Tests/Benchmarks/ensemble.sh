#!/usr/bin/env bash
# Our ensemble of three beside Apache's 3.8.0 in one run: writes, reads, start, the death of a leader.
#
#   Tests/Benchmarks/ensemble.sh [-s SUITES] [-f REGEX] [-o FILE] [ZKCLI]
#
#   -s SUITES  of: core start elect local (default: all of them); local is the start of zkcli --local 3, alone
#   -f REGEX   only the tests of core whose names match, such as '^write-100-c(1-w1|8-w64)$'
#   -o FILE    where the samples go, as JSON lines (default: a temporary file)
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Prints a table of medians and their ratios to Apache's. Needs Debian's zookeeper, a C compiler and Python 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
suites=core,start,elect,local filter=. results=
while getopts s:f:o:h option; do
  case $option in
    s) suites=$OPTARG ;;
    f) filter=$OPTARG ;;
    o) results=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(find_binary "${1:-}")
results=${results:-$work/results.jsonl}
export LAUNCH="$zkcli server run"
compared=$(tr , '\n' <<< "$suites" | { grep --invert-match --line-regexp local || true; } | paste --serial --delimiters ,)
if [[ -n $compared ]]; then
  "$load/measure.sh" -o "$results" -k ensemble -s "$compared" -f "$filter" -w "$work/run" \
    -T "apache=$load/target-apache.sh" -T "zkcli=$load/target-zoocfg.sh"
  "$load/summarize.py" "$results" --base apache
fi
if [[ ,$suites, == *,local,* ]]; then
  echo
  for _ in {1..10}; do
    begin=$(date +%s%N)
    # The child is the first client; it tells when it has its answer.
    "$zkcli" --quiet --local 3 -- sh -c "$(printf '%q' "$zkcli") exists / && date +%s%N" |
      awk -v begin="$begin" '$1 + 0 > 0 { printf "%.1f\n", ($1 - begin) / 1e6 }'
  done | sort -n | awk '{ ms[NR] = $1 } END {
    printf "zkcli --local 3, from exec to the first answer: median %.1f ms (%.1f to %.1f)\n", ms[int((NR + 1) / 2)], ms[1], ms[NR] }'
fi
