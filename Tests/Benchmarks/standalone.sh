#!/usr/bin/env bash
# Our standalone server beside Apache's 3.8.0 in one run: throughput, latency, CPU per operation, memory, start.
#
#   Tests/Benchmarks/standalone.sh [-z DIR] [-s SUITES] [-f REGEX] [-o FILE] [ZKCLI]
#
#   -z DIR     the zkload kit (default: ../shared/tools/zkload beside the repository)
#   -s SUITES  of: core floor idle watch fill start ours (default: all of them; fill alone takes several minutes); ours
#              are the bars that have nothing to do with Apache: 10,000 idle sessions, and the start of zkcli --local;
#              floor is what this machine allows: the same with a server in C that stores nothing and answers at once
#   -f REGEX   only the tests whose names match; the bars need '^(read|write)-100-c(1-w1|8-w64)$|^connect-c1$|^watch'
#   -o FILE    where the samples go, as JSON lines (default: a temporary file)
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Prints a table of medians and their ratios to Apache's, then the project's bars with a verdict on each; exits with 1
# if one is missed. Needs Debian's zookeeper, a C compiler and Python 3.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
kit=$repository/../shared/tools/zkload suites=core,floor,idle,watch,start,fill,ours filter=. results=
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
apaches=$(tr , '\n' <<< "$suites" | { grep --invert-match --line-regexp 'ours\|floor' || true; } | paste -s -d ,)
if [[ -n $apaches ]]; then
  "$work/kit/measure.sh" -o "$results" -k standalone -s "$apaches" -f "$filter" -w "$work/run" \
    -T "apache=$work/kit/target-apache.sh" -T "zkcli=$work/kit/target-zoocfg.sh"
fi

if [[ ,$suites, == *,floor,* ]]; then
  "$work/kit/measure.sh" -o "$results" -k standalone -s core -f '^(read-100-c1-w1|connect-c1)$' -w "$work/null" \
    -T "null=$work/kit/target-null.sh"
  cc -O2 -o "$work/fan-out" "$repository/Tests/Benchmarks/fan-out.c"
  for _ in 1 2 3; do "$work/fan-out" 5000 10 >> "$work/ours.jsonl"; done
fi

# Sessions on a server that has just started, and how long a server of its own takes until a client has an answer.
measure_ours() {
  local port=21877 data=$work/ours server run begin
  mkdir "$data"
  printf '%s\n' "dataDir=$data/data" "clientPort=$port" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
    admin.enableServer=false 4lw.commands.whitelist=* > "$data/zoo.cfg"
  "$zkcli" server run "$data/zoo.cfg" 2> "$data/log" &
  server=$!
  "$work/kit/zkload" wait -T 30 "127.0.0.1:$port" > /dev/null
  "$work/kit/zkload" idle -c 10000 -t 10 -P "$server" "127.0.0.1:$port" |
    sed 's/^{/{"target":"zkcli","test":"idle-10000",/' >> "$work/ours.jsonl"
  kill "$server"
  wait "$server" || true
  for run in {1..10}; do
    begin=$(date +%s%N)
    # The child is the first client; it tells when it has its answer.
    "$zkcli" --quiet --local -- sh -c "$(printf '%q' "$zkcli") exists / && date +%s%N" |
      awk -v begin="$begin" '{ printf "{\"target\":\"zkcli\",\"test\":\"local\",\"ms\":%.1f}\n", ($1 - begin) / 1e6 }' \
      >> "$work/ours.jsonl"
  done
}

if [[ ,$suites, == *,ours,* ]]; then measure_ours; fi
if [[ -n $apaches ]]; then
  "$work/kit/summarize.py" "$results" --base apache
  echo
fi
touch "$results" "$work/ours.jsonl"
"$repository/Tests/Benchmarks/bars.py" "$results" "$work/ours.jsonl"
