#!/usr/bin/env bash
# How many instructions the program executes for fixed work, counted by valgrind: the steadiest figure on any machine.
#
#   Tests/Benchmarks/instructions.sh [-c | -w] [-b FILE] [ZKCLI...]
#
#   -c       compares the four hot paths with the baseline: exits with 1 if one takes over 3 per cent more
#   -w       writes the baseline: after a change that is meant to cost or save something, with the reason in its commit
#   -b FILE  the baseline (default: Tests/Benchmarks/instructions.txt)
#   ZKCLI    the binaries to compare, such as those before and after a change (default: .build/release/zkcli); one with
#            -c or -w
#
# Prints for each binary the start of a standalone server, the server's instructions for a read and a synced write of
# 100 bytes, one after another and pipelined (8 connections, 64 requests in flight on each), and those of a one-shot get.
# Batches form by the clock, so the figures differ by about one per cent between runs; how they are taken is said in
# rows/instructions.py. Needs valgrind, which reads the binary only without its debug data, a C compiler and Python 3.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/kit.sh"
action=print baseline=$repository/Tests/Benchmarks/instructions.txt
while getopts cwb:h option; do
  case $option in
    c) action=check ;;
    w) action=record ;;
    b) baseline=$OPTARG ;;
    *) usage "$0" ;;
  esac
done
shift $((OPTIND - 1))
binaries=()
for binary in "${@:-$repository/.build/release/zkcli}"; do binaries+=("$(find_binary "$binary")"); done
mkdir "$work/rows"
words=("$load" "$work/rows" "$action")
if [[ $action != print ]]; then
  ((${#binaries[@]} == 1)) || usage "$0"
  words+=("$baseline")
fi
python3 "$repository/Tests/Benchmarks/rows/instructions.py" "${words[@]}" "${binaries[@]}"
