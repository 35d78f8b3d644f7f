#!/usr/bin/env bash
# What the commands about the past cost, beside the restart of a server on the same files.
#
#   Tests/Benchmarks/history.sh [-n ZNODES] [ZKCLI]
#
#   -n ZNODES  how many znodes the directory has (default: 1000000)
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Fills a server of ours, ends it, and measures three times each, alternating: the restart of the server until it
# answers a client, snap ls at the newest state, of one znode and of all, and log show. Prints the medians of time and
# of peak memory, the size of the log and the rate at which it is shown, and the project's bars with a verdict on each;
# exits with 1 if one is missed. Needs a C compiler and Python 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
count=1000000
while getopts n:h option; do
  case $option in
    n) count=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(find_binary "${1:-}")
port=21887 data=$work/data
mkdir "$data"
# Half of the transactions that fill it are in a snapshot.
printf '%s\n' "dataDir=$data" "snapCount=$((count / 400))" "clientPort=$port" clientPortAddress=127.0.0.1 \
  maxClientCnxns=0 admin.enableServer=false '4lw.commands.whitelist=*' > "$work/zoo.cfg"

# start_server: starts it, and prints the milliseconds until it has answered; leaves its process id in $work/pid.
start_server() {
  "$zkcli" server run "$work/zoo.cfg" >> "$work/log" 2>&1 &
  echo $! > "$work/pid"
  "$load/zkload" wait -z "$(date +%s%N)" -T 300 "127.0.0.1:$port" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["ms"])'
}

# stop_server: ends it, and prints its peak memory in KiB.
stop_server() {
  local pid
  pid=$(cat "$work/pid")
  awk '/^VmHWM/ { print $2 }' "/proc/$pid/status"
  kill "$pid"
  while kill -0 "$pid" 2> /dev/null; do sleep 0.05; done
  rm "$work/pid"
}

# measure COMMAND...: prints wall milliseconds and peak memory in KiB of a command whose output is dropped.
measure() {
  python3 - "$@" << 'PYTHON'
import os, resource, subprocess, sys, time
begin = time.monotonic()
subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True)
print(f"{(time.monotonic() - begin) * 1000:.0f}", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
PYTHON
}

trap '[[ ! -e $work/pid ]] || kill "$(cat "$work/pid")" 2> /dev/null || true; rm -rf "$work"' EXIT
start_server > /dev/null
"$load/zkload" fill -n "$count" -d 100 -b 200 -c 4 -w 4 -T 900 "127.0.0.1:$port" > /dev/null
stop_server > /dev/null
for run in 1 2 3; do
  ms=$(start_server)
  echo "restart $ms $(stop_server)"
  echo "ls $(measure "$zkcli" snap ls "$data")"
  echo "ls-R $(measure "$zkcli" snap ls -R "$data")"
  echo "show $(measure "$zkcli" log show "$data")"
done > "$work/samples"

# Without what is preallocated.
"$zkcli" log stat -o json "$data" > "$work/stat"
python3 - "$work/samples" "$work/stat" "$count" << 'PYTHON'
import json, statistics, sys
samples = {}
for line in open(sys.argv[1]):
    name, ms, kib = line.split()
    samples.setdefault(name, []).append((float(ms), int(kib)))
median = {name: [statistics.median(values) for values in zip(*rows)] for name, rows in samples.items()}
size, count = json.load(open(sys.argv[2]))["bytes"], int(sys.argv[3])
for name, (ms, kib) in median.items():
    print(f"{name:8} {ms:8.0f} ms {kib / 1024:8.0f} MiB")
rate = size / median["show"][0] / 1000
print(f"log: {size / 1e6:.0f} MB, shown at {rate:.0f} MB/s")
bars = [
    (f"snap ls with {count} znodes takes no longer than the restart", median["ls"][0] <= median["restart"][0]),
    ("and no more memory than the server", median["ls"][1] <= median["restart"][1]),
    ("snap ls -R takes no more memory either", median["ls-R"][1] <= median["restart"][1]),
    ("log show reaches 200 MB/s", rate >= 200),
]
for text, holds in bars:
    print("ok    " if holds else "MISSED", text)
sys.exit(0 if all(holds for _, holds in bars) else 1)
PYTHON
