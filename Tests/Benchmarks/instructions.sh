#!/usr/bin/env bash
# How many instructions the program executes for fixed work, counted by valgrind: the steadiest figure on any machine.
#
#   Tests/Benchmarks/instructions.sh [ZKCLI...]
#
#   ZKCLI  the binaries to compare, such as those before and after a change (default: .build/release/zkcli)
#
# Prints for each binary, in millions: the start of a standalone server; the same with 3,000 writes one after another;
# with 20,000 pipelined writes and with 100,000 pipelined reads (8 connections, 64 requests in flight on each); and a
# one-shot get. Batches form by the clock, so the pipelined figures differ by about one per cent between runs.
# Needs valgrind, which reads the binary only without its debug data, and a C compiler.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
[[ ${1:-} != -* ]] || usage "$0"

port=21891
address=127.0.0.1:$port
printf '%s\n' "dataDir=$work/data" "clientPort=$port" clientPortAddress=127.0.0.1 admin.enableServer=false \
  '4lw.commands.whitelist=*' > "$work/zoo.cfg"

# start COMMAND...: starts the server under COMMAND, and waits until it answers.
start() {
  rm -rf "$work/data"
  "$@" "$work/zkcli" server run "$work/zoo.cfg" > "$work/log" 2>&1 &
  server=$!
  "$load/zkload" wait -T 60 "$address" > /dev/null
}

stop() {
  kill "$server"
  wait "$server" || true
}

collected() { awk '/Collected :/ { printf "%.1f\n", $4 / 1e6 }' "$1"; }

# serve NAME MODE OPTIONS...: what the server executes from its start to its end, with this load in between.
serve() {
  local name=$1
  shift
  start valgrind --tool=callgrind --callgrind-out-file=/dev/null
  "$load/zkload" "$@" "$address" > "$work/result"
  stop
  printf '%-28s %10s M\n' "$name" "$(collected "$work/log")"
}

for binary in "${@:-$repository/.build/release/zkcli}"; do
  strip --strip-debug -o "$work/zkcli" "$(find_binary "$binary")"
  echo "$binary"
  serve "server start" ping -n 1
  serve "3,000 lone writes" write -n 3000 -k 100
  serve "20,000 pipelined writes" write -c 8 -w 64 -n 20000 -k 100
  serve "100,000 pipelined reads" read -c 8 -w 64 -n 100000 -k 100
  start env
  "$work/zkcli" -s "$address" create /x y > /dev/null
  valgrind --tool=callgrind --callgrind-out-file=/dev/null "$work/zkcli" -s "$address" get /x > /dev/null 2> "$work/get"
  stop
  printf '%-28s %10s M\n' "one-shot get" "$(collected "$work/get")"
done
