"""Rows of an ensemble of three: writes with clients of the leader, and a learner that takes the whole tree."""
import os
import shutil
import time

from figures import Figure
from loads import etcd_load, floors, light, trees, zkload, Others
from machine import Failure, cpu_seconds
from serving import PIPELINE, RECORD_BYTES, peers
import servers


def sample_commit(context, name, connections, window):
    server = context.server(name)
    if name == "etcd-3":
        return etcd_load(context, server, True, connections, window, hosts=servers.etcd_leader(server))
    # A client of the leader: with one of a follower there is a REQUEST more, which the floor has not.
    leader = server.hosts[servers.leader_index(context, server)]
    return zkload(
        context, "write", server, "-c", connections, "-w", window, "-d", 100, "-t", context.seconds, "-u",
        context.warm_seconds, hosts=leader)


def once_more(context, server, load):
    """The result of a load on a peer's servers. Three JVMs on two cores may lose their leader, so it may fail once."""
    try:
        return load()
    except Failure:
        for host in server.hosts:
            servers.wait(context, server, "write", hosts=[host])
        return load()


def measure_commit(context, key, work, connections, window):
    first = (Figure(f"{key}.latency", f"{work}: median latency", "us") if window == 1
             else Figure(f"{key}.rate", f"{work}: operations a second", "/s", higher_is_better=True))
    cpu = Figure(f"{key}.cpu", f"{work}: CPU of all three for each", "us")
    field = "p50_us" if window == 1 else "ops_per_s"
    targets = ["zkcli", *peers(context, (first, cpu), ("apache", "etcd"))]
    if "apache" in targets:
        apache = context.server("apache-3")
        warm_up = ["write", apache, "-c", 6, "-w", 64, "-d", 100, "-t", context.java_seconds]
        once_more(context, apache, lambda: zkload(context, *warm_up))
    for _ in range(context.runs):
        for name in targets:
            context.quiet.wait()
            if name == "apache":
                sample = once_more(
                    context, apache, lambda: sample_commit(context, "apache-3", connections, window))
            else:
                sample = sample_commit(context, f"{name}-3", connections, window)
            first.add(name, sample[field], sample["other_cores"])
            cpu.add(name, sample["server_cpu_us_per_op"], sample["other_cores"])
        for target, mode in [("floor", "commit")] + ([("hand-over", "hand-over")] if window == 1 else []):
            context.quiet.wait()
            others = Others()
            ways = floors(context, mode, context.work, RECORD_BYTES, connections * window, context.seconds / 2)
            best = (min if window == 1 else max)(ways, key=lambda way: way[field])
            first.add(target, best[field], others.cores())
            cpu.add(target, best["server_cpu_us_per_op"], others.cores())
    return [first, cpu]


def commit(context):
    return measure_commit(context, "commit", "a lone write on three", 1, 1)


def commits(context):
    return measure_commit(context, "commits", "pipelined writes on three", *PIPELINE)


def snapshot_send(context):
    """A learner with an empty directory joins two servers: until it serves, and what that costs the leader."""
    count = context.scaled(1_000_000, least=10_000)
    snapshot = context.snapshot(count)
    span = Figure("snapshot-send.time", f"a learner takes {count:,} znodes: until it serves", "ms")
    cpu = Figure("snapshot-send.cpu", f"a learner takes {count:,} znodes: leader's CPU", "ms")
    others_p99 = Figure("snapshot-send.others", "a light client of the leader meanwhile: p99", "us")
    for name in ["zkcli", *peers(context, (span, cpu), ("apache",))]:
        ensemble = servers.start_ensemble(context, name, data=snapshot, started=2)
        leader = [ensemble.processes[servers.leader_index(context, ensemble)].pid]
        home = ensemble.directory / "3" / "data" / "version-2"
        for _ in range(context.runs):
            context.quiet.wait()
            others, since, used = Others(), time.time_ns(), cpu_seconds(leader)
            learner = context.processes.start(ensemble.launch[2], ensemble.directory / "3" / "log")
            milliseconds = servers.wait(context, ensemble, "read", since, hosts=ensemble.hosts[2:])
            cpu.add(name, (cpu_seconds(leader) - used) * 1000, others.cores())
            span.add(name, milliseconds, others.cores())
            forget(context, learner, home)
        if name == "zkcli":
            measure_others(context, others_p99, ensemble, count, span.value(name)[0] / 1000, home)
        servers.stop(context, ensemble)
    for sample in trees(context, "send", snapshot, context.runs + 1):
        span.add("floor", sample["ms"])
        cpu.add("floor", sample["cpu_ms"])
    for sample in trees(context, "learn", snapshot, context.work, context.runs + 1):
        span.add("learn", sample["ms"])
    return [span, cpu, others_p99]


def forget(context, learner, home):
    context.processes.stop([learner])
    shutil.rmtree(home)
    os.mkdir(home)


def measure_others(context, figure, ensemble, count, seconds, home):
    """What a client of the leader sees while a learner takes the tree, for as long as that takes, and without that."""
    leader = ensemble.hosts[servers.leader_index(context, ensemble)]
    for _ in range(context.runs):
        for target in ("without", "zkcli"):
            context.quiet.wait()
            learner = None
            if target == "zkcli":
                learner = context.processes.start(ensemble.launch[2], ensemble.directory / "3" / "log")
            sample = light(context, ensemble, count, max(0.2, seconds), hosts=leader)
            figure.add(target, sample["p99_us"], sample["other_cores"])
            if learner:
                servers.wait(context, ensemble, "read", hosts=ensemble.hosts[2:])
                forget(context, learner, home)
