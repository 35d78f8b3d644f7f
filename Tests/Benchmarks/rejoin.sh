#!/usr/bin/env bash
# How long a follower that was away takes to serve again: with a part of the leader's log, and with the whole tree.
#
#   Tests/Benchmarks/rejoin.sh [-n ZNODES] [-b BEHIND] [-r RUNS] [ZKCLI]
#
#   -n ZNODES  how many znodes the tree has (default: 1000000)
#   -b BEHIND  how many transactions the follower lacks (default: 100000)
#   -r RUNS    how often each way is measured (default: 3); figures are medians
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Three servers of ours, which write ten snapshots while they get the tree. One is stopped (SIGSTOP) until its leader has
# given it up and has written the transactions, then goes on; the time is measured until it reports the leader's last
# transaction. No server writes a snapshot of its own meanwhile. With snapshotSizeFactor=-1 the leader sends the tree.
# Prints both times and the project's bar with a verdict; exits with 1 if it is missed. Needs a C compiler and Python 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
count=1000000 behind=100000 runs=3
while getopts n:b:r:h option; do
  case $option in
    n) count=$OPTARG ;;
    b) behind=$OPTARG ;;
    r) runs=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(find_binary "${1:-}")
port=21910
declare -A servers
cleanup() {
  for server in "${servers[@]}"; do
    kill -CONT "$server" 2> /dev/null || true
    kill "$server" 2> /dev/null && wait "$server" 2> /dev/null || true
  done
  rm -rf "$work"
}
trap cleanup EXIT
for id in 1 2 3; do
  mkdir "$work/$id"
  echo "$id" > "$work/$id/myid"
done

# start FACTOR: starts all servers; the third one leads.
start() {
  for id in 2 3 1; do
    printf '%s\n' "dataDir=$work/$id" "clientPort=$((port + id))" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
      tickTime=500 initLimit=240 syncLimit=6 admin.enableServer=false '4lw.commands.whitelist=*' \
      "snapCount=$((count / 10))" "snapshotSizeFactor=$1" "server.1=127.0.0.1:$((port + 11)):$((port + 21))" \
      "server.2=127.0.0.1:$((port + 12)):$((port + 22))" \
      "server.3=127.0.0.1:$((port + 13)):$((port + 23))" > "$work/$id.cfg"
    "$zkcli" server run "$work/$id.cfg" 2>> "$work/$id.log" &
    servers[$id]=$!
    # The first one serves when the second one does.
    [[ $id == 2 ]] || "$load/zkload" wait -T 300 "127.0.0.1:$((port + id))" > /dev/null
  done
}

stop() {
  for id in 1 2 3; do
    kill "${servers[$id]}"
    wait "${servers[$id]}" || true
  done
  servers=()
}

# ask ID WORD NAME: prints a value of the answer to a four-letter word.
ask() {
  python3 - "$((port + $1))" "$2" "$3" << 'PYTHON'
import re, socket, sys
with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as s:
    s.sendall(sys.argv[2].encode())
    answer = b"".join(iter(lambda: s.recv(65536), b"")).decode()
print(next((m[1] for m in re.finditer(r"(?m)^%s[:\t]\s*(.*)$" % re.escape(sys.argv[3]), answer)), ""))
PYTHON
}

# settle: waits until no server writes a snapshot.
settle() {
  while compgen -G "$work/*/version-2/unfinished-*" > /dev/null; do sleep 0.1; done
}

# rejoin KIND: measures once, and prints the milliseconds.
rejoin() {
  settle
  local log=$work/1.log before
  before=$(wc -l < "$log")
  kill -STOP "${servers[1]}"
  while [[ $(ask 3 mntr zk_synced_followers) != 1 ]]; do sleep 0.1; done
  "$load/zkload" write -n "$behind" -c 4 -w 64 -T 900 "127.0.0.1:$((port + 3))" > /dev/null
  sleep 0.5
  settle
  python3 - "${servers[1]}" "$((port + 1))" "$(ask 3 srvr Zxid)" << 'PYTHON'
import os, re, signal, socket, sys, time
process, port, wanted = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3], 16)
begin = time.monotonic()
os.kill(process, signal.SIGCONT)
while time.monotonic() < begin + 600:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as s:
            s.sendall(b"srvr")
            answer = b"".join(iter(lambda: s.recv(65536), b"")).decode()
        found = re.search(r"(?m)^Zxid: (0x[0-9a-f]+)$", answer)
        if found and int(found[1], 16) >= wanted:
            print(f"{(time.monotonic() - begin) * 1000:.0f}")
            sys.exit()
    except OSError:
        pass
    time.sleep(0.005)  # Asked more often, it would have to answer in the time that is measured.
sys.exit("the follower has not come back")
PYTHON
  if ! tail -n "+$((before + 1))" "$log" | grep --quiet "synchronizing.*by=$1"; then
    echo "the follower was not synchronized by $1" >&2
    exit 2
  fi
}

start 0.33
"$load/zkload" fill -n "$count" -d 100 -b 1 -c 8 -w 64 -T 900 "127.0.0.1:$((port + 3))" > /dev/null
for ((run = 0; run < runs; run++)); do echo "log $(rejoin diff)"; done > "$work/samples"
stop
start -1
for ((run = 0; run < runs; run++)); do echo "tree $(rejoin snap)"; done >> "$work/samples"
python3 - "$work/samples" "$count" "$behind" << 'PYTHON'
import statistics, sys
samples = {}
for line in open(sys.argv[1]):
    way, ms = line.split()
    samples.setdefault(way, []).append(float(ms))
median = {way: statistics.median(values) for way, values in samples.items()}
for way, ms in median.items():
    print(f"{way:5} {ms:8.0f} ms ({min(samples[way]):.0f} to {max(samples[way]):.0f})")
holds = median["log"] <= median["tree"] / 10
text = f"{sys.argv[3]} transactions behind on {sys.argv[2]} znodes, a tenth of the time that the tree takes"
print("ok    " if holds else "MISSED", f"{text}: {median['log'] / median['tree']:.3f}")
sys.exit(0 if holds else 1)
PYTHON
