#!/usr/bin/env bash
# Commands on whole subtrees beside zkload, on one server of ours in one run.
#
#   Tests/Benchmarks/trees.sh [-n COUNT] [-r RUNS] [-m COUNTS] [ZKCLI]
#
#   -n COUNT   how many znodes of 100 bytes (default 100000)
#   -r RUNS    how often each command runs (default 3); times are medians
#   -m COUNTS  the numbers of znodes for which peak memory is compared (default "10000 100000 300000")
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# zkload keeps as many requests in flight as zkcli, on one connection, and looks at each answer. It reads and writes as
# many znodes as the command does: find, grep and du ask about each znode once, export and diff twice, because of its
# ACL; import, cp and deleteall write 500 znodes with one transaction. The answers of cp and deleteall are read first,
# which is part of what they are compared with.
#
# Prints the times, their ratios and peak memory, then the project's bars with a verdict on each; exits with 1 if one is
# missed. Needs a C compiler and Python 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
count=100000 runs=3 sizes="10000 100000 300000"
while getopts n:r:m:h option; do
  case $option in
    n) count=$OPTARG ;;
    r) runs=$OPTARG ;;
    m) sizes=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(find_binary "${1:-}")
port=21878
printf '%s\n' "dataDir=$work/data" "clientPort=$port" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
  admin.enableServer=false 4lw.commands.whitelist=* > "$work/zoo.cfg"
"$zkcli" server run "$work/zoo.cfg" 2> "$work/server.log" &
server=$!
trap 'kill "$server" 2> /dev/null || true; wait "$server" 2> /dev/null || true; rm -rf "$work"' EXIT
"$load/zkload" wait -T 30 "127.0.0.1:$port" > /dev/null
cd "$work"
# shellcheck disable=SC2086  # the sizes are a list of words
python3 "$repository/Tests/Benchmarks/trees.py" "$zkcli" "$load/zkload" "127.0.0.1:$port" "$count" "$runs" $sizes
