#!/usr/bin/env bash
# The page of `zkcli web` on a server of ours, in Chromium, and its event streams: the page's bars.
#
#   Tests/Benchmarks/web.sh [-r RUNS] [-n COUNT] [-p PYTHON] [ZKCLI]
#
#   -r RUNS    how often each thing is done in the browser (default 7); figures are medians
#   -n COUNT   how many children one znode has (default 100000)
#   -p PYTHON  a Python with selenium (default: python3); Tests/Browser/requirements.txt has the version
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Times in the browser are its own: from the request of the page to its first paint, which has the rows of the root's
# children, and to the paint of the rows that the script draws; and from the step to the znode with many children to the
# frame that shows the first of them. Then 200 streams follow one znode that changes 50 times a second: the processor
# time of the page's process, and its memory after all of this.
# Prints the bars with a verdict on each; exits with 1 if one is missed. Needs Debian's chromium and chromium-driver.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
runs=7 count=100000 python=python3
while getopts r:n:p:h option; do
  case $option in
    r) runs=$OPTARG ;;
    n) count=$OPTARG ;;
    p) python=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(find_binary "${1:-}")
port=21890
printf '%s\n' "dataDir=$work/data" "clientPort=$port" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
  admin.enableServer=false 4lw.commands.whitelist=* > "$work/zoo.cfg"
"$zkcli" server run "$work/zoo.cfg" 2> "$work/server.log" &
server=$!
page=''
cleanup() {
  for process in $page $server; do kill "$process" 2> /dev/null && wait "$process" 2> /dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
"$load/zkload" wait -T 30 "127.0.0.1:$port" > /dev/null
{
  printf '%s\n' 'create /bench' 'create /bench/one v' 'create /bench/many'
  seq -f 'create /bench/many/n%06.0f x' "$count"
} | "$zkcli" -s "127.0.0.1:$port" --pipeline 500 > /dev/null
"$zkcli" -s "127.0.0.1:$port" web --listen 127.0.0.1:0 > "$work/url" 2> "$work/web.log" &
page=$!
for _ in {1..200}; do [[ -s $work/url ]] && break; sleep 0.05; done
HOME=$work "$python" "$repository/Tests/Benchmarks/web.py" "$zkcli" "127.0.0.1:$port" "$(head -1 "$work/url")" "$page" \
  "$runs" "$count"
