#!/usr/bin/env bash
# The commands that watch an ensemble, on three servers of ours: time of ready and health, CPU of top and bench.
#
#   Tests/Benchmarks/monitor.sh [-r RUNS] [ZKCLI]
#
#   -r RUNS    how often each command runs (default 5); figures are medians
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# ready and health run once more with a fourth server that accepts connections and says nothing. bench is compared with
# zkload, which makes as many requests with as many in flight. Prints the bars with a verdict on each; exits with 1 if
# one is missed. Needs a C compiler and Python 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
runs=5
while getopts r:h option; do
  case $option in
    r) runs=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(find_binary "${1:-}")
port=21900
servers=()
cleanup() {
  for server in "${servers[@]}"; do kill "$server" 2> /dev/null && wait "$server" 2> /dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
for id in 1 2 3; do
  mkdir -p "$work/$id"
  echo "$id" > "$work/$id/myid"
  printf '%s\n' "dataDir=$work/$id" "clientPort=$((port + id))" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
    admin.enableServer=false '4lw.commands.whitelist=*' initLimit=10 syncLimit=5 \
    "server.1=127.0.0.1:$((port + 11)):$((port + 21))" "server.2=127.0.0.1:$((port + 12)):$((port + 22))" \
    "server.3=127.0.0.1:$((port + 13)):$((port + 23))" > "$work/$id.cfg"
  "$zkcli" server run "$work/$id.cfg" 2> "$work/$id.log" &
  servers+=($!)
done
for id in 1 2 3; do "$load/zkload" wait -T 30 "127.0.0.1:$((port + id))" > /dev/null; done
python3 "$repository/Tests/Benchmarks/monitor.py" "$zkcli" "$load/zkload" "$port" "$runs"
