#!/usr/bin/env python3
"""Counts instructions with callgrind: a row of all.sh, and what instructions.sh runs on its own.

    instructions.py KIT WORK check|record BASELINE ZKCLI
    instructions.py KIT WORK print ZKCLI...

check compares the four hot paths with a baseline and exits with 1 if one has become dearer by more than 3 per cent;
record writes the baseline. print shows them, with what a start, 20,000 pipelined writes and whole runs take.

A path's figure is the difference between two runs of the server, one with a single request (or batch) and one with
many, over the number of requests between: the start, the set-up of zkload and the end cancel out. Batches and wakes
still go by the clock, and on a busy machine there are more of them: each end is the least of three runs, and what seems
dearer is counted again. The log is in memory where that is possible (/dev/shm): whether the event loop falls asleep
before a write is durable depends on the disk, by seven per cent of the instructions.
"""
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile

from commands import CLI_MT
from figures import Figure
from machine import Failure, Ports, Processes, first_line
import servers

ROOM = 1.03
RUNS = 3
ATTEMPTS = 3
MEMORY = "/dev/shm"
# Of zkload: mode and connections with requests in flight, how many requests are one batch, and how many are measured.
PATHS = {
    "lone-read": (("read", "-c", "1", "-w", "1"), 1, 8000),
    "lone-write": (("write", "-c", "1", "-w", "1"), 1, 4000),
    "reads": (("read", "-c", "8", "-w", "64"), 512, 100_000),
    "writes": (("write", "-c", "8", "-w", "64"), 512, 20_000),
}
BASELINE_PATHS = ("lone-read", "lone-write", "reads", "get")
# Threads take turns, or what they do depends on how busy the machine is.
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes")


class Bench:
    """Servers under callgrind, one at a time. A context: what it writes is gone at its end."""

    def __init__(self, kit, work, processes, ports):
        self.kit, self.processes, self.ports = kit, processes, ports
        self.work = pathlib.Path(tempfile.mkdtemp(dir=MEMORY if os.access(MEMORY, os.W_OK) else work))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.processes.stop_all()
        shutil.rmtree(self.work, ignore_errors=True)

    def strip(self, zkcli):
        """Valgrind does not read the debug data of so large a binary."""
        stripped = self.work / "zkcli-stripped"
        subprocess.run(["strip", "--strip-debug", "-o", stripped, zkcli], check=True)
        return stripped

    def collected(self, log):
        """Of the last process that has written to the log."""
        counts = re.findall(r"Collected : (\d+)", log.read_text(errors="replace"))
        if not counts:
            raise Failure(f"callgrind counted nothing: {log.read_text(errors='replace')[-1000:]}")
        return int(counts[-1])

    def serve(self, kind, binary, load):
        """What a server executes from its start to its end with a load in between; no load: only the start."""
        directory = self.work / "callgrind"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        port, log = self.ports.take(), directory / "log"
        if kind == "zkcli":
            (directory / "zoo.cfg").write_text(servers.configuration(directory / "data", port))
            words = [binary, "server", "run", directory / "zoo.cfg"]
        else:
            words = [binary, "null", port] + ([directory] if kind == "log" else [])
        process = self.processes.start([*CALLGRIND, *words], log)
        try:
            for arguments in [("wait", "-T", "60"), load]:
                if arguments:
                    result = subprocess.run(
                        [self.kit / "zkload", *arguments, f"127.0.0.1:{port}"], capture_output=True, text=True)
                    if result.returncode:
                        raise Failure(f"{result.stderr}{log.read_text(errors='replace')[-1000:]}")
        finally:
            self.processes.stop([process])
        return self.collected(log)

    def path(self, kind, binary, name, scale=1.0, runs=RUNS):
        """Instructions for a request of a path."""
        arguments, least, count = PATHS[name]
        count = max(int(count * scale), 5 * least)
        low, high = (
            min(self.serve(kind, binary, (*arguments, "-k", "100", "-n", str(requests))) for _ in range(runs))
            for requests in (least, least + count))
        return (high - low) / count

    def command(self, words, log_name="command"):
        """Instructions of a command, from its start to its end."""
        log = self.work / log_name
        with open(log, "wb") as output:
            result = subprocess.run([*CALLGRIND, *map(str, words)], stdout=subprocess.DEVNULL, stderr=output)
        if result.returncode:
            raise Failure(f"{words[0]}: {log.read_text(errors='replace')[-1000:]}")
        return self.collected(log)

    def get(self, zkcli, runs=RUNS):
        """Instructions of a one-shot get, and of the like with cli_mt if it is there."""
        directory = self.work / "get"
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()
        port = self.ports.take()
        address = f"127.0.0.1:{port}"
        (directory / "zoo.cfg").write_text(servers.configuration(directory / "data", port))
        process = self.processes.start([zkcli, "server", "run", directory / "zoo.cfg"], directory / "log")
        try:
            subprocess.run([self.kit / "zkload", "wait", "-T", "60", address], check=True, capture_output=True)
            subprocess.run([zkcli, "-s", address, "create", "/x", "y"], check=True, capture_output=True)
            ours = min(self.command([zkcli, "-s", address, "get", "/x"]) for _ in range(runs))
            theirs = None
            if os.access(CLI_MT, os.X_OK):
                theirs = min(self.command([CLI_MT, "-h", address, "-c", "get /x"]) for _ in range(runs))
            return ours, theirs
        finally:
            self.processes.stop([process])


def row(context):
    """The row of all.sh: each path beside the server that does nothing."""
    # Each path takes a few starts of a server under valgrind; the first and the last show whether all works.
    chosen = ("lone-read", "get") if context.is_smoke else (*PATHS, "get")
    figures = [
        Figure(f"instructions.{name}", f"instructions of {work}", "")
        for name, work in [
            ("lone-read", "a lone read"), ("lone-write", "a lone synced write"), ("reads", "a pipelined read"),
            ("writes", "a pipelined synced write"), ("get", "a one-shot get")] if name in chosen]
    if not shutil.which("valgrind"):
        for figure in figures:
            figure.absent["floor"] = "not installed: apt-get install valgrind"
        return figures
    with Bench(context.kit, context.work, context.processes, context.ports) as bench:
        binary = bench.strip(context.zkcli)
        for figure in figures[:-1]:
            name = figure.key.partition(".")[2]
            figure.add("zkcli", bench.path("zkcli", binary, name, context.scale, context.runs))
            null = "log" if "write" in name else "null"
            figure.add(null, bench.path(null, context.kit / "limits", name, context.scale, context.runs))
        ours, theirs = bench.get(binary, context.runs)
        figures[-1].add("zkcli", ours)
        if theirs:
            figures[-1].add("cli_mt", theirs)
    return figures


def measure(bench, binary, name):
    return round(bench.get(binary)[0] if name == "get" else bench.path("zkcli", binary, name))


def check(bench, binary, baseline):
    """Prints each path beside its baseline; whether none has become dearer."""
    expected = {}
    for line in pathlib.Path(baseline).read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            expected[words[0]] = int(words[1])
    holds = True
    print(f"{'path':<12} {'instructions':>14} {'baseline':>14} {'ratio':>7}")
    for name in BASELINE_PATHS:
        if name not in expected:
            raise Failure(f"{baseline} has no line for {name}")
        value = measure(bench, binary, name)
        for _ in range(ATTEMPTS - 1):
            if value > expected[name] * ROOM:
                value = min(value, measure(bench, binary, name))
        ratio = value / expected[name]
        verdict = "ok" if ratio <= ROOM else "DEARER"
        if ratio < 1 / ROOM:
            verdict = "ok, cheaper: record the baseline anew"
        holds = holds and ratio <= ROOM
        print(f"{name:<12} {value:>14,} {expected[name]:>14,} {ratio:>7.3f} {verdict}", flush=True)
    return holds


def record(values, baseline, zkcli):
    lines = [
        "# What the hot paths execute, in instructions, by Tests/Benchmarks/instructions.sh -w; -c allows 3 % more.",
        "# lone-read, lone-write and reads are the server's, for each request; get is a whole command.",
        f"# {first_line(zkcli, '--version')}; {first_line('valgrind', '--version')}; {os.uname().machine}",
        *(f"{name} {value}" for name, value in values.items())]
    pathlib.Path(baseline).write_text("".join(line + "\n" for line in lines))


def show(bench, binary, name):
    print(name)
    print(f"{'server start':<28} {bench.serve('zkcli', binary, None):>14,}")
    for path, (arguments, _, _) in PATHS.items():
        print(f"{' '.join(arguments):<28} {round(bench.path('zkcli', binary, path)):>14,} a request")
    print(f"{'one-shot get':<28} {round(bench.get(binary)[0]):>14,}", flush=True)


def main():
    kit, work, action = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    # Ends what was started when it is ended itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with Bench(kit, work, Processes(), Ports()) as bench:
            if action == "print":
                for zkcli in sys.argv[4:]:
                    show(bench, bench.strip(zkcli), zkcli)
                return 0
            baseline, zkcli = sys.argv[4:6]
            binary = bench.strip(zkcli)
            if action == "check":
                return 0 if check(bench, binary, baseline) else 1
            record({name: measure(bench, binary, name) for name in BASELINE_PATHS}, baseline, zkcli)
            print(pathlib.Path(baseline).read_text(), end="")
            return 0
    except Failure as failure:
        print(f"instructions: {failure}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
