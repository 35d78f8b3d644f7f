#!/usr/bin/env bash
# Our standalone server beside Apache's 3.8.0 in one run: throughput, latency, CPU per operation, memory, start.
#
#   Tests/Benchmarks/standalone.sh [-s SUITES] [-f REGEX] [-o FILE] [ZKCLI]
#
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
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
suites=core,floor,idle,watch,start,fill,ours filter=. results=
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
apaches=$(tr , '\n' <<< "$suites" | { grep --invert-match --line-regexp 'ours\|floor' || true; } | paste -s -d ,)
if [[ -n $apaches ]]; then
  "$load/measure.sh" -o "$results" -k standalone -s "$apaches" -f "$filter" -w "$work/run" \
    -T "apache=$load/target-apache.sh" -T "zkcli=$load/target-zoocfg.sh"
fi

if [[ ,$suites, == *,floor,* ]]; then
  "$load/measure.sh" -o "$results" -k standalone -s core -f '^(read-100-c1-w1|connect-c1)$' -w "$work/null" \
    -T "null=$load/target-null.sh"
  cc -O2 -pthread -o "$work/fan-out" "$repository/Tests/Benchmarks/fan-out.c"
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
  "$load/zkload" wait -T 30 "127.0.0.1:$port" > /dev/null
  "$load/zkload" idle -c 10000 -t 10 -P "$server" "127.0.0.1:$port" |
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
  "$load/summarize.py" "$results" --base apache
  echo
fi
touch "$results" "$work/ours.jsonl"
"$repository/Tests/Benchmarks/bars.py" "$results" "$work/ours.jsonl"
