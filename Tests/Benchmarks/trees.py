#!/usr/bin/env python3
"""What trees.sh measures: commands on whole subtrees beside zkload, and their peak memory by the number of znodes.

    trees.py ZKCLI ZKLOAD HOST:PORT COUNT RUNS SIZE...

Works in the present directory. The subtree is what zkload's mode fill makes: folders of znodes under /zkload/f.
"""
import json
import os
import statistics
import subprocess
import sys
import time

ZKCLI, ZKLOAD, SERVER = sys.argv[1:4]
COUNT, RUNS, SIZES = int(sys.argv[4]), int(sys.argv[5]), [int(size) for size in sys.argv[6:]]
LIMIT = 1.5
GROWTH_LIMIT = 1.25
ENVIRONMENT = dict(os.environ, ZKCLI_SERVER=SERVER)
for name in "ZKCLI_CLUSTER", "ZKCLI_AUTH":
    ENVIRONMENT.pop(name, None)


def run(*words):
    """Runs zkcli; the seconds that it took, those of its CPU, and its peak memory in KiB."""
    begin = time.monotonic()
    with open(os.devnull, "w") as null:
        process = subprocess.Popen((ZKCLI, *words), env=ENVIRONMENT, stdout=null, stderr=subprocess.PIPE)
        errors = process.stderr.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    # grep has nothing to find.
    if process.returncode not in ((0, 1) if words[0] == "grep" else (0,)):
        sys.exit(f"zkcli {' '.join(words)}: exit code {process.returncode}\n{errors}")
    return time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def load(mode, *words):
    """The seconds that zkload took."""
    output = subprocess.run((ZKLOAD, mode, "-c", "1", *words, SERVER), check=True, capture_output=True, text=True)
    return json.loads(output.stdout)["seconds"]


def fill(count, prefix="/zkload"):
    return load("fill", "-n", str(count), "-d", "100", "-b", "500", "-w", "8", "-p", prefix)


def read(count):
    return load("read", "-n", str(count), "-d", "100", "-w", "64", "-k", str(COUNT))


def clear(*paths):
    for path in paths:
        subprocess.run((ZKCLI, "deleteall", "--yes", path), env=ENVIRONMENT, capture_output=True)


TREE = "/zkload/f"
# What each command is compared with, of zkload: reads for each znode, and whether as many znodes are written.
COMMANDS = {
    "find": (("find", TREE, "--count"), 1, False),
    "grep": (("grep", "-rc", "no such text", TREE), 1, False),
    "du": (("du", "-d", "0", TREE), 1, False),
    "export jsonl": (("export", TREE, "tree.jsonl", "--overwrite"), 2, False),
    "export tar": (("export", TREE, "tree.tar", "--overwrite"), 2, False),
    "import": (("import", "tree.jsonl", "/copy"), 0, True),
    "diff": (("diff", TREE, "/copy"), 4, False),
    "deleteall": (("deleteall", "--yes", "/copy"), 1, True),
    "cp": (("cp", "-R", TREE, "/copy"), 2, True),
}
missed = False


def bar(name, value, limit):
    global missed
    missed = missed or value > limit
    print(f"{name:<58} {value:7.2f} <= {limit:5.2f} {'ok' if value <= limit else 'MISSED'}")


def measure_times():
    fill(COUNT)
    times = {name: [] for name in COMMANDS}
    cpu = {name: [] for name in COMMANDS}
    reads, fills = [], []
    for _ in range(RUNS):
        reads.append(read(COUNT))
        fills.append(fill(COUNT, "/other"))
        clear("/other")
        for name, (words, _, _) in COMMANDS.items():
            seconds, used, _ = run(*words)
            times[name].append(seconds)
            cpu[name].append(used)
        clear("/copy")
    a_read, a_fill = statistics.median(reads), statistics.median(fills)
    print(f"zkload: {COUNT} reads {a_read:.2f} s, {COUNT} creates by multi {a_fill:.2f} s")
    rows = []
    for name, (_, read_factor, writes) in COMMANDS.items():
        reference = read_factor * a_read + (a_fill if writes else 0)
        rows.append((name, statistics.median(times[name]) / reference))
        print(
            f"{name:<14} {statistics.median(times[name]):7.2f} s, CPU {statistics.median(cpu[name]):6.2f} s;"
            f" zkload {reference:6.2f} s")
    for name, ratio in rows:
        bar(f"{name}: time over zkload's", ratio, LIMIT)


def measure_memory():
    peaks = {name: [] for name in COMMANDS}
    for size in SIZES:
        clear(TREE)
        fill(size)
        for name, (words, _, _) in COMMANDS.items():
            peaks[name].append(run(*words)[2] / 1024)
        clear("/copy")
    print("peak memory in MiB for " + ", ".join(map(str, SIZES)) + " znodes")
    for name, values in peaks.items():
        print(f"{name:<14} " + " ".join(f"{value:8.1f}" for value in values))
    for name, values in peaks.items():
        # deleteall must know all paths before it deletes the first.
        if name != "deleteall" and len(values) > 1:
            bar(f"{name}: memory for {SIZES[-1]} over {SIZES[-2]} znodes", values[-1] / values[-2], GROWTH_LIMIT)


measure_times()
if SIZES:
    measure_memory()
sys.exit(missed)
