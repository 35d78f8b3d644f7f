"""Rows of one server: reads, writes, watches, sessions."""
import json
import os
import time

from figures import Figure
from loads import etcd_load, floors, redis_load, run, zkload, Others
import servers

# What our log keeps of zkload's setData of 100 bytes: see RECORD_EXTRA in limits.c.
RECORD_BYTES = 186
PIPELINE = (8, 64)


def peers(context, figures, names):
    """Those of the peers that are here; the figures get a word on the others."""
    here = []
    for name in names:
        reason = servers.reason_missing(name) if name in context.peers else "left out"
        if reason is None:
            here.append(name)
        else:
            for figure in figures:
                figure.absent[name] = reason
    return here


def sample_load(context, name, mode, connections, window):
    """One sample of one target under zkload's load, or the like of it."""
    server = context.server(name)
    if name == "etcd":
        return etcd_load(context, server, mode == "write", connections, window)
    if name == "redis":
        return redis_load(context, server, mode == "write", connections, window)
    return zkload(
        context, mode, server, "-c", connections, "-w", window, "-d", 100, "-t", context.seconds, "-u",
        context.warm_seconds)


def measure_load(context, key, work, mode, connections, window):
    first = (Figure(f"{key}.latency", f"{work}: median latency", "us") if window == 1
             else Figure(f"{key}.rate", f"{work}: operations a second", "/s", higher_is_better=True))
    cpu = Figure(f"{key}.cpu", f"{work}: server's CPU for each", "us")
    field = "p50_us" if window == 1 else "ops_per_s"
    null = "log" if mode == "write" else "null"
    targets = ["zkcli", null, *peers(context, (first, cpu), ("apache", "etcd", "redis"))]
    if "apache" in targets:
        # The compiler of Java's virtual machine needs to have seen the code.
        zkload(context, mode, context.server("apache"), "-c", 8, "-w", 64, "-d", 100, "-t", context.java_seconds)
    for _ in range(context.runs):
        for name in targets:
            context.quiet.wait()
            sample = sample_load(context, name, mode, connections, window)
            first.add(name, sample[field], sample["other_cores"])
            cpu.add(name, sample["server_cpu_us_per_op"], sample["other_cores"])
        if mode == "write":
            context.quiet.wait()
            others = Others()
            ways = floors(context, "log", context.work, RECORD_BYTES, connections * window, context.seconds / 2)
            best = (min if window == 1 else max)(way[field] for way in ways)
            first.add("disk", best, others.cores())
    return [first, cpu]


def lone_read(context):
    return measure_load(context, "lone-read", "a lone read", "read", 1, 1)


def reads(context):
    return measure_load(context, "reads", "pipelined reads", "read", *PIPELINE)


def lone_write(context):
    return measure_load(context, "lone-write", "a lone synced write", "write", 1, 1)


def writes(context):
    return measure_load(context, "writes", "pipelined synced writes", "write", *PIPELINE)


def watch(context):
    count = context.scaled(5000, least=200)
    last = Figure("watch.last", f"{count:,} watchers: until the last is told", "us")
    cpu = Figure("watch.cpu", f"{count:,} watchers: server's CPU for each event", "us")
    rounds = context.scaled(10, least=3)
    targets = ["zkcli", *peers(context, (last, cpu), ("apache",))]
    for _ in range(context.runs):
        for name in targets:
            context.quiet.wait()
            sample = zkload(context, "watch", context.server(name), "-c", count, "-n", rounds)
            last.add(name, sample["last_event_us_median"], sample["other_cores"])
            cpu.add(name, sample["event_cpu_us_per_op"], sample["other_cores"])
        context.quiet.wait()
        others = Others()
        sample = json.loads(run([context.kit / "fan-out", count, rounds, os.cpu_count()]))
        last.add("floor", sample["last_event_us_median"], others.cores())
        cpu.add("floor", sample["server_cpu_us_per_op"], others.cores())
    return [last, cpu]


def session(context):
    opening = Figure("session.open", "opening a session: median latency", "us")
    cpu = Figure("session.cpu", "opening and closing a session: server's CPU", "us")
    targets = ["zkcli", "log", *peers(context, (opening, cpu), ("apache",))]
    for run_index in range(context.runs):
        for name in targets:
            seconds = context.java_seconds if name == "apache" and run_index == 0 else context.seconds
            context.quiet.wait()
            sample = zkload(context, "connect", context.server(name), "-c", 1, "-t", seconds)
            opening.add(name, sample["p50_us"], sample["other_cores"])
            cpu.add(name, sample["server_cpu_us_per_op"], sample["other_cores"])
    return [opening, cpu]


def idle(context):
    count = context.scaled(10000, least=500)
    figure = Figure("idle.memory", f"{count:,} idle sessions: memory for each", "bytes")
    for name in ["zkcli", *peers(context, (figure,), ("apache",))]:
        # A server of its own: the others have served, and have memory at hand.
        server = servers.start_standalone(context, name)
        sample = zkload(context, "idle", server, "-c", count, "-t", context.scaled(10, least=1))
        figure.add(name, sample["rss_bytes_per_session"], sample["other_cores"])
        servers.stop(context, server)
    return [figure]


def start(context):
    figure = Figure("start.time", "an empty server, from exec to its first answer", "ms")
    for _ in range(context.runs):
        for name in ["zkcli", *peers(context, (figure,), ("apache",))]:
            context.quiet.wait()
            others, since = Others(), time.time_ns()
            server = servers.start_standalone(context, name, ready=None)
            figure.add(name, servers.wait(context, server, "read", since), others.cores())
            servers.stop(context, server)
    return [figure]
