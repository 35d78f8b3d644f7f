#!/usr/bin/env bash
# Our ensemble of three beside Apache's 3.8.0 in one run: writes, reads, start, the death of a leader.
#
#   Tests/Benchmarks/ensemble.sh [-z DIR] [-s SUITES] [-f REGEX] [-o FILE] [ZKCLI]
#
#   -z DIR     the zkload kit (default: ../shared/tools/zkload beside the repository)
#   -s SUITES  of: core start elect local (default: all of them); local is the start of zkcli --local 3, alone
#   -f REGEX   only the tests of core whose names match, such as '^write-100-c(1-w1|8-w64)$'
#   -o FILE    where the samples go, as JSON lines (default: a temporary file)
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Prints a table of medians and their ratios to Apache's. Needs Debian's zookeeper, a C compiler and Python 3.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kit=$repository/../shared/tools/zkload suites=core,start,elect,local filter=. results=
while getopts z:s:f:o:h option; do
  case $option in
    z) kit=$OPTARG ;;
    s) suites=$OPTARG ;;
    f) filter=$OPTARG ;;
    o) results=$OPTARG ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(realpath "${1:-$repository/.build/release/zkcli}")
[[ -x $zkcli ]] || { echo "$zkcli is not there: build it first" >&2; exit 2; }
[[ -f $kit/zkload.c ]] || { echo "no zkload in $kit: name its directory with -z" >&2; exit 2; }

# The kit builds beside its sources, which may not be ours to write to.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$kit/." "$work/kit"
make --silent --directory "$work/kit"
results=${results:-$work/results.jsonl}
export LAUNCH="$zkcli server run"
compared=$(tr , '\n' <<< "$suites" | { grep --invert-match --line-regexp local || true; } | paste --serial --delimiters ,)
if [[ -n $compared ]]; then
  "$work/kit/measure.sh" -o "$results" -k ensemble -s "$compared" -f "$filter" -w "$work/run" \
    -T "apache=$work/kit/target-apache.sh" -T "zkcli=$work/kit/target-zoocfg.sh"
  "$work/kit/summarize.py" "$results" --base apache
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
