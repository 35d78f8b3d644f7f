#!/usr/bin/env python3
"""What all.sh runs: every row, one table.

    run.py KIT WORK ZKCLI [--row ROW...] [--list] [--scale FACTOR] [--smoke] [--runs N] [--peers NAMES] [--json FILE]

Exits with 1 if a bar is missed, with 2 if a row could not be measured.
"""
import argparse
import json
import pathlib
import signal
import subprocess
import sys
import time

import commands
import ensemble
import failover
from figures import print_table, read_bars
import instructions
from loads import trees
import machine
import scale
import servers
import serving
import sessions
import storage

# Each row's name, and what measures it, in groups that share servers.
GROUPS = [
    {
        "lone-read": serving.lone_read, "reads": serving.reads, "lone-write": serving.lone_write,
        "writes": serving.writes, "watch": serving.watch, "session": serving.session, "get": commands.one_shot},
    {"idle": serving.idle, "sessions": sessions.idle, "expiry": sessions.expiry},
    {"start": serving.start, "local": commands.local, "instructions": instructions.row},
    {"commit": ensemble.commit, "commits": ensemble.commits},
    {
        "snapshot-send": ensemble.snapshot_send, "failover": failover.failover, "big-answers": scale.big_answers,
        "restart": storage.restart},
    {
        "restart-large": storage.restart_large, "growth": scale.growth, "snapshot-while": scale.snapshot_while,
        "fragmentation": scale.fragmentation},
]
ALL_ROWS = {name: function for group in GROUPS for name, function in group.items()}


class Context:
    """What rows need: the kit, the binary, how much to measure, and servers that several rows share."""

    def __init__(self, kit, work, zkcli, options):
        self.kit, self.work, self.zkcli = kit, work, zkcli
        self.is_smoke = options.smoke
        self.scale = 0.02 if options.smoke else options.scale
        self.runs = 1 if options.smoke else options.runs
        self.seconds = max(0.3, 4 * self.scale)
        self.warm_seconds = max(0.1, self.scale)
        self.java_seconds = max(0.5, 5 * self.scale)
        self.peers = [name for name in options.peers.split(",") if name]
        self.quiet = machine.Quiet(0 if options.smoke else options.patience)
        self.ports, self.processes = machine.Ports(), machine.Processes()
        self.shared = {}

    @property
    def slow_peers(self):
        """The peers of rows that take them too long for a run whose figures mean nothing."""
        return () if self.is_smoke else ("apache",)

    def scaled(self, count, least=1):
        return max(least, round(count * self.scale))

    def server(self, name):
        """A server that the rows of a group share, started when it is first asked for."""
        if name not in self.shared:
            starts = {
                "null": lambda: servers.start_null(self, False), "log": lambda: servers.start_null(self, True),
                "etcd": lambda: servers.start_etcd(self, 1), "etcd-3": lambda: servers.start_etcd(self, 3),
                "redis": lambda: servers.start_redis(self),
                "zkcli-3": lambda: servers.start_ensemble(self, "zkcli"),
                "apache-3": lambda: servers.start_ensemble(self, "apache"),
                "zkcli-tree": lambda: scale.start_tree(self)}
            self.shared[name] = starts[name]() if name in starts else servers.start_standalone(self, name)
        return self.shared[name]

    def snapshot(self, znodes):
        """A snapshot with so many znodes, and 100 bytes in each; of the large ones only the latest is kept."""
        path = self.work / f"snapshot-{znodes}" / "snapshot.1"
        if not path.exists():
            for old in self.work.glob("snapshot-*/snapshot.1"):
                if old.stat().st_size > 1 << 26:
                    old.unlink()
            path.parent.mkdir(exist_ok=True)
            trees(self, "snapshot", path, znodes, 100)
        return path

    def end_group(self):
        for server in self.shared.values():
            servers.stop(self, server)
        self.shared.clear()
        self.processes.stop_all()


def parse(arguments):
    parser = argparse.ArgumentParser(prog="all.sh", description="Every row of the benchmarks in one table.")
    parser.add_argument("-r", "--row", nargs="+", action="extend", metavar="ROW", help="only these rows; see --list")
    parser.add_argument("--list", action="store_true", help="print the names of the rows, and end")
    parser.add_argument("--scale", type=float, default=1, metavar="FACTOR",
                        help="how long samples take, and how many watchers, sessions and znodes there are (default 1)")
    parser.add_argument("--smoke", action="store_true",
                        help="under two minutes: whether all of it works; the figures mean nothing")
    parser.add_argument("--runs", type=int, default=3, metavar="N", help="samples of each target (default 3)")
    parser.add_argument("--patience", type=float, default=20, metavar="SECONDS",
                        help="the longest wait for a quiet machine before a sample (default 20)")
    parser.add_argument("--peers", default="apache,etcd,redis", metavar="NAMES",
                        help="the peers to compare with (default: apache,etcd,redis)")
    parser.add_argument("--json", metavar="FILE", help="where all samples and the table go as JSON")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.row or [] if name not in ALL_ROWS]
    if unknown:
        parser.error(f"there is no row {', '.join(unknown)}; there are {', '.join(ALL_ROWS)}")
    if not 0 < options.scale <= 10 or options.runs < 1:
        parser.error("--scale is above 0 and at most 10, --runs at least 1")
    return options


def measure(context, chosen):
    """All figures, and the rows that could not be measured, with the reason."""
    figures, failures = [], {}
    for group in GROUPS:
        try:
            for name in [name for name in group if name in chosen]:
                begin = time.monotonic()
                try:
                    figures += group[name](context)
                except (machine.Failure, subprocess.SubprocessError, OSError, ValueError, KeyError) as failure:
                    failures[name] = f"{type(failure).__name__}: {failure}"
                seconds = time.monotonic() - begin
                print(f"[{seconds:6.1f} s] {name} {'FAILED' if name in failures else ''}", file=sys.stderr)
        finally:
            context.end_group()
    return figures, failures


def main():
    kit, work, zkcli = (pathlib.Path(argument) for argument in sys.argv[1:4])
    options = parse(sys.argv[4:])
    if options.list:
        print("\n".join(ALL_ROWS))
        return 0
    # Ends what was started when it is ended itself.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bars = read_bars(pathlib.Path(__file__).with_name("bars.txt"))
    context = Context(kit, work, zkcli, options)
    about = machine.describe(str(zkcli), work)
    before, begin = machine.load_average(), time.monotonic()
    try:
        figures, failures = measure(context, options.row or list(ALL_ROWS))
    finally:
        context.processes.stop_all()
    about["load_average"] = {"before": before, "after": machine.load_average()}
    about["seconds"] = round(time.monotonic() - begin, 1)
    for name, value in about.items():
        if name != "load_average":
            print(f"{name:<12} {value}")
    print(f"{'load':<12} {before[0]:.2f} before, {about['load_average']['after'][0]:.2f} after")
    counts = not options.smoke and options.scale >= 1
    if not counts:
        print("Verdicts in parentheses do not count: less was measured than they are meant for.")
    print()
    lines, missed = print_table(figures, bars, counts)
    for name, reason in failures.items():
        print(f"row {name} could not be measured: {reason}")
    if options.json:
        document = {
            "machine": about, "scale": context.scale, "runs": context.runs, "lines": lines, "failures": failures,
            "figures": [vars(figure) for figure in figures]}
        pathlib.Path(options.json).write_text(json.dumps(document, indent=1) + "\n")
    return 2 if failures else 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
