#!/usr/bin/env bash
# Our standalone server beside Apache's 3.8.0 in one run: throughput, latency, CPU per operation, memory, start.
#
#   Tests/Benchmarks/standalone.sh [-z DIR] [-s SUITES] [-o FILE] [ZKCLI]
#
#   -z DIR     the zkload kit (default: ../shared/tools/zkload beside the repository)
#   -s SUITES  of: core idle watch fill start (default: all of them; fill alone takes several minutes)
#   -o FILE    where the samples go, as JSON lines (default: a temporary file)
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Prints a table of medians and their ratios to Apache's. Needs Debian's zookeeper and a C compiler.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kit=$repository/../shared/tools/zkload suites=core,idle,watch,start,fill results=
while getopts z:s:o:h option; do
  case $option in
    z) kit=$OPTARG ;;
    s) suites=$OPTARG ;;
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
"$work/kit/measure.sh" -o "$results" -k standalone -s "$suites" -w "$work/run" \
  -T "apache=$work/kit/target-apache.sh" -T "zkcli=$work/kit/target-zoocfg.sh"
"$work/kit/summarize.py" "$results" --base apache
