#!/usr/bin/env python3
"""Counts instructions with callgrind: a row of all.sh, and what instructions.sh runs on its own.

    instructions.py KIT WORK check|record BASELINE ZKCLI
    instructions.py KIT WORK print ZKCLI...

check compares the four hot paths with a baseline and exits with 1 if one has become dearer by more than 3 per cent;
record writes the baseline. print shows them, with what a start, 20,000 pipelined writes and whole runs take.

A path's figure is the difference between two runs of the server, one with a single request (or batch) and one with
many, over the number of requests between: the start, the set-up of zkload and the end cancel out. Batches and wakes
still go by the clock, and on a busy machine there are more of them: each end is the least of three runs.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys

from commands import CLI_MT
from figures import Figure
from machine import Failure, Ports, Processes, first_line
import servers

ROOM = 1.03
RUNS = 3
# Of zkload: mode and connections with requests in flight, how many requests are one batch, and how many are measured.
PATHS = {
    "lone-read": (("read", "-c", "1", "-w", "1"), 1, 8000),
    "lone-write": (("write", "-c", "1", "-w", "1"), 1, 4000),
    "reads": (("read", "-c", "8", "-w", "64"), 512, 100_000),
    "writes": (("write", "-c", "8", "-w", "64"), 512, 20_000),
}
BASELINE_PATHS = ("lone-read", "lone-write", "reads", "get")
# Threads take turns, or what they do depends on how busy the machine is: by seven per cent for a write.
CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--fair-sched=yes")


class Bench:
    """Servers under callgrind, one at a time."""

    def __init__(self, kit, work, processes, ports):
        self.kit, self.work, self.processes, self.ports = kit, work, processes, ports

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
    bench = Bench(context.kit, context.work, context.processes, context.ports)
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


def measure(bench, binary):
    values = {name: round(bench.path("zkcli", binary, name)) for name in BASELINE_PATHS[:-1]}
    values["get"] = round(bench.get(binary)[0])
    return values


def check(values, baseline):
    """Prints each path beside its baseline; whether none has become dearer."""
    expected = {}
    for line in pathlib.Path(baseline).read_text().splitlines():
        words = line.split("#")[0].split()
        if words:
            expected[words[0]] = int(words[1])
    holds = True
    print(f"{'path':<12} {'instructions':>14} {'baseline':>14} {'ratio':>7}")
    for name, value in values.items():
        if name not in expected:
            raise SystemExit(f"{baseline} has no line for {name}")
        ratio = value / expected[name]
        verdict = "ok" if ratio <= ROOM else "DEARER"
        if ratio < 1 / ROOM:
            verdict = "ok, cheaper: record the baseline anew"
        holds = holds and ratio <= ROOM
        print(f"{name:<12} {value:>14,} {expected[name]:>14,} {ratio:>7.3f} {verdict}")
    return holds


def record(values, baseline, zkcli):
    lines = [
        "# What the hot paths execute, in instructions, by Tests/Benchmarks/instructions.sh -w; -c allows 3 % more.",
        "# lone-read, lone-write and reads are the server's, for each request; get is a whole command.",
        f"# {first_line(zkcli, '--version')}; {first_line('valgrind', '--version')}; {os.uname().machine}",
        *(f"{name} {value}" for name, value in values.items())]
    pathlib.Path(baseline).write_text("".join(line + "\n" for line in lines))


def main():
    kit, work, action = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
    processes = Processes()
    bench = Bench(kit, work, processes, Ports())
    try:
        if action == "print":
            for zkcli in sys.argv[4:]:
                binary = bench.strip(zkcli)
                print(zkcli)
                print(f"{'server start':<28} {bench.serve('zkcli', binary, None):>14,}")
                for name, (arguments, _, _) in PATHS.items():
                    print(f"{' '.join(arguments):<28} {round(bench.path('zkcli', binary, name)):>14,} a request")
                print(f"{'one-shot get':<28} {round(bench.get(binary)[0]):>14,}")
            return 0
        baseline, zkcli = sys.argv[4:6]
        values = measure(bench, bench.strip(zkcli))
        if action == "check":
            return 0 if check(values, baseline) else 1
        record(values, baseline, zkcli)
        print(pathlib.Path(baseline).read_text(), end="")
        return 0
    except Failure as failure:
        print(f"instructions: {failure}", file=sys.stderr)
        return 2
    finally:
        processes.stop_all()


if __name__ == "__main__":
    sys.exit(main())
