#!/usr/bin/env bash
# A storm of clients: 2,000 connections a second and a flood of large requests, with a light client beside them.
#
#   Tests/Benchmarks/storm.sh [-s SECONDS] [ZKCLI]
#
#   -s SECONDS   how long the storm takes (default 10)
#   ZKCLI        the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Prints the latencies of the light client's reads and writes, without a storm and in it, with the server's limits off
# and on, and the project's bar with a verdict: in the storm, with the limits on, its p99 is under 50 ms. Exits with 1
# if that is missed. On a busy machine times mean little. Needs Python 3.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
seconds=10
while getopts s:h option; do
  case $option in
    s) seconds=$OPTARG ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(realpath "${1:-$repository/.build/release/zkcli}")
[[ -x $zkcli ]] || { echo "$zkcli does not exist: build it first" >&2; exit 2; }

work=$(mktemp -d)
server=
cleanup() {
  [[ -n $server ]] && kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# measure NAME KEY=VALUE...: runs the load against a server with these keys.
measure() {
  local name=$1 port
  shift
  port=$(free_port)
  mkdir -p "$work/$name"
  printf '%s\n' "dataDir=$work/$name/data" "clientPort=$port" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
    admin.enableServer=false '4lw.commands.whitelist=*' "$@" > "$work/$name/zoo.cfg"
  "$zkcli" server run "$work/$name/zoo.cfg" 2> "$work/$name/log" &
  server=$!
  for _ in {1..100}; do grep -q 'serving on' "$work/$name/log" && break; sleep 0.1; done
  local status=0
  python3 "$repository/Tests/Benchmarks/storm.py" "$name" "$port" "$server" "$seconds" || status=$?
  kill "$server" && wait "$server" 2>/dev/null || true
  server=
  return "$status"
}

measure open || true
measure limited connection_throttle_tokens=200 connection_throttle_fill_count=1 connection_throttle_fill_time=5 \
  request_throttle_max_requests=100 largeRequestThreshold=65536 largeRequestMaxBytes=4194304
