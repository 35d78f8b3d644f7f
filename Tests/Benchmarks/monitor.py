#!/usr/bin/env python3
"""Runs the commands that watch an ensemble, and prints their bars; monitor.sh starts the servers.

    monitor.py ZKCLI ZKLOAD PORT RUNS

The servers listen for clients on the three ports that follow PORT.
"""
import resource
import socket
import statistics
import subprocess
import sys
import threading
import time

zkcli, zkload, port, runs = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
members = ",".join(f"127.0.0.1:{port + number}" for number in (1, 2, 3))
missed = False


def run(*command, allowed=(0,)):
    """The seconds and the seconds of CPU that a command takes."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    seconds, after = time.monotonic() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in allowed:
        sys.exit(f"{' '.join(command)}: exit status {done.returncode}: {done.stderr.decode()}")
    return seconds, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def median(which, *command, allowed=(0,)):
    """The median of the seconds (0) or the seconds of CPU (1) of several runs."""
    return statistics.median(run(*command, allowed=allowed)[which] for _ in range(runs))


def bar(name, value, limit, unit):
    global missed
    is_met = value <= limit
    missed = missed or not is_met
    print(f"{name:<62} {value:8.2f} {unit:<3} <= {limit:6.2f}  {'ok' if is_met else 'MISSED'}", flush=True)


def keep_silent(listener):
    """Accepts connections and keeps them, without a word."""
    kept = []
    while True:
        try:
            kept.append(listener.accept()[0])
        except OSError:
            return


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=keep_silent, args=(listener,), daemon=True).start()
with_silent = f"127.0.0.1:{listener.getsockname()[1]},{members}"

bar("ready", median(0, zkcli, "-s", members, "ready") * 1000, 50, "ms")
bar("ready, with a silent server first", median(0, zkcli, "-s", with_silent, "ready") * 1000, 50, "ms")
bar("health of three", median(0, zkcli, "-s", members, "health") * 1000, 300, "ms")
bar(
    "health --limit 200ms, with a silent server",
    median(0, zkcli, "-s", with_silent, "health", "--limit", "200ms", allowed=(1,)) * 1000, 300, "ms")
seconds, cpu = run(zkcli, "-s", members, "top", "-n", "10", "-o", "jsonl")
bar("top: part of a core", cpu / seconds * 100, 2, "%")
one = f"127.0.0.1:{port + 1}"
count = 200_000
for work in ("read", "write"):
    ours = median(1, zkcli, "-s", one, "bench", work, "-n", str(count), "--in-flight", "64", "--keys", "1000")
    theirs = median(1, zkload, work, "-c", "1", "-w", "64", "-n", str(count), "-k", "1000", one)
    bar(f"bench {work}: CPU over zkload's ({ours / count * 1e6:.2f} us an operation)", ours / theirs, 2, "x")
sys.exit(1 if missed else 0)
