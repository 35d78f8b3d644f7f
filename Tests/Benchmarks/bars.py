#!/usr/bin/env python3
"""The bars of the standalone server, from the samples of standalone.sh: measured, limit, verdict.

    bars.py SAMPLES.jsonl...

A ratio is ours over Apache's, of the medians. A sample during which others used more than half a core counts only
where there is no better one, and the line then says "busy": CPU per operation still means something, times do not.
Exits with 1 if a bar is missed.
"""
import json
import statistics
import sys
from collections import defaultdict

NOISE_CORES = 0.5

samples = defaultdict(list)
for name in sys.argv[1:]:
    with open(name) as lines:
        for sample in map(json.loads, lines):
            if "test" in sample and not sample.get("warm"):
                samples[sample["target"], sample["test"]].append(sample)


def median(target, test, field):
    """The median over the quietest samples, and whether they are quiet; None without a sample."""
    rows = [row for row in samples[target, test] if row.get(field) is not None]
    quiet = [row for row in rows if row.get("other_cores", 0) <= NOISE_CORES]
    chosen = quiet or sorted(rows, key=lambda row: row.get("other_cores", 0))[:3]
    value = statistics.median(row[field] for row in chosen) if chosen else None
    return value, bool(quiet)


missed = False


def bar(name, value, relation, limit, unit="", is_quiet=True):
    global missed
    if value is None:
        return
    holds = value <= limit if relation == "<=" else value >= limit
    missed = missed or not holds
    verdict = ("ok" if holds else "MISSED") + ("" if is_quiet else " (busy)")
    print(f"{name:<58} {value:9.3f} {relation} {limit:7.3f} {unit:<4} {verdict}")


def ratio(name, test, field, relation, limit):
    theirs, is_quiet = median("apache", test, field)
    ours, is_quiet_too = median("zkcli", test, field)
    value = ours / theirs if theirs and ours is not None else None
    bar(name, value, relation, limit, "x", is_quiet and is_quiet_too)
    floor, _ = median("null", test, field)
    if floor and value is not None:
        print(f"  {'a server that does nothing needs':<56} {floor / theirs:9.3f}    ours is {ours / floor:.2f} times that")


def ours_alone(name, test, field, scale, relation, limit, unit):
    value, is_quiet = median("zkcli", test, field)
    bar(name, None if value is None else value / scale, relation, limit, unit, is_quiet)


CPU = "server_cpu_us_per_op"
ratio("pipelined reads: CPU", "read-100-c8-w64", CPU, "<=", 1 / 20)
ratio("lone reads: CPU", "read-100-c1-w1", CPU, "<=", 1 / 6)
ratio("pipelined synced writes: CPU", "write-100-c8-w64", CPU, "<=", 1 / 8)
ratio("pipelined synced writes: operations a second", "write-100-c8-w64", "ops_per_s", ">=", 3)
ratio("lone synced writes: median latency", "write-100-c1-w1", "p50_us", "<=", 0.65)
ratio("open and close of a session: CPU", "connect-c1", CPU, "<=", 1 / 5)
ratio("5,000 watchers: time until the last is told", "watch-5000", "last_event_us_median", "<=", 1 / 3)
ratio("1,000,000 znodes: RSS after a restart", "restart-settled", "settled_rss_kb", "<=", 1 / 4)
ratio("1,000,000 znodes: CPU of a restart", "restart-full", "boot_cpu_s", "<=", 1 / 8)
for kind in "read", "write":
    full, is_quiet = median("zkcli", f"{kind}-full-100-c8-w64", CPU)
    empty, is_quiet_too = median("zkcli", f"{kind}-100-c8-w64", CPU)
    if full and empty:
        bar(f"{kind}s: CPU with 1,000,000 znodes over 1,000", full / empty, "<=", 2, "x", is_quiet and is_quiet_too)
ours_alone("10,000 idle sessions: RSS that they add", "idle-10000", "rss_bytes_per_session", 104.8576, "<=", 40, "MiB")
ours_alone("zkcli --local: from exec to serving", "local", "ms", 1, "<=", 100, "ms")
sys.exit(missed)
