"""Rows of many sessions: what idle ones cost, and what others see when many expire at once."""
import resource
import time

from figures import Figure
from loads import run, zkload, Others
from machine import Failure
from serving import peers
import servers

# Beside the connections: files, the listener, what the standard library has open.
DESCRIPTORS_BESIDE = 200


def idle(context):
    """CPU of ticks and pings of idle sessions, and the memory of as many as descriptors may allow."""
    count, many = context.scaled(10_000, least=500), context.scaled(100_000, least=1000)
    seconds = context.scaled(30, least=2)
    cpu = Figure("sessions.cpu", f"{count:,} idle sessions: CPU of ticks and pings", "% of a core")
    for name in ["zkcli", *peers(context, (cpu,), context.slow_peers)]:
        server = servers.start_standalone(context, name)
        context.quiet.wait()
        others = Others(server.pids)
        sample = zkload(context, "idle", server, "-c", count, "-t", seconds, "-a", 8)
        cpu.add(name, sample["hold_server_cpu_s"] / seconds * 100, others.cores())
        servers.stop(context, server)
    memory = Figure("sessions.memory", f"{many:,} idle sessions: memory for each", "bytes")
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if limit < many + DESCRIPTORS_BESIDE:
        memory.absent["fixed"] = f"ulimit -n is {limit:,}; {many + DESCRIPTORS_BESIDE:,} are needed"
        return [cpu, memory]
    server = servers.start_standalone(context, "zkcli")
    sample = zkload(context, "idle", server, "-c", many, "-t", context.scaled(10, least=1), "-a", 8)
    memory.add("zkcli", sample["rss_bytes_per_session"])
    servers.stop(context, server)
    return [cpu, memory]


def expiry(context):
    """Many sessions whose clients are gone, and that have all been seen last at the same time: the server's start."""
    count = context.scaled(100_000, least=1000)
    # Long enough to open them all, and within what servers grant: 2 to 20 ticks.
    timeout = max(2 * servers.TICK_MS, min(20 * servers.TICK_MS, count * 2 // 5))
    worst = Figure("expiry.worst", f"{count:,} sessions expire at once: a light client's worst latency", "ms")
    for name in ["zkcli", *peers(context, (worst,), context.slow_peers)]:
        for _ in range(context.runs if name == "zkcli" else 1):
            measure_expiry(context, worst, name, count, timeout)
    return [worst]


def measure_expiry(context, worst, name, count, timeout):
    server = servers.start_standalone(context, name)
    run([context.kit / "crowd", "leave", count, timeout, server.address])
    context.processes.stop(server.processes)
    context.quiet.wait()
    server.processes = [context.processes.start(server.launch, server.directory / "log")]
    servers.wait(context, server)
    start = time.monotonic()
    there = servers.monitored(context, server, "zk_global_sessions")
    if there < count * 0.9:
        raise Failure(f"{name}: {there} of {count} sessions are left after a restart: opening them takes too long")
    # The tracker rounds up to a tick.
    for target, until in (("without", timeout / 1000 - 1), (name, (timeout + servers.TICK_MS) / 1000 + 1)):
        others = Others(server.pids)
        span = max(0.3, start + until - time.monotonic())
        sample = zkload(context, "mixed", server, "-r", 50, "-c", 1, "-w", 1, "-t", f"{span:.2f}")
        if target != "without" or name == "zkcli":
            worst.add(target, sample["max_us"] / 1000, others.cores())
    left = servers.monitored(context, server, "zk_global_sessions")
    if left > count * 0.1:
        raise Failure(f"{name}: {left} of {count} sessions have not expired")
    servers.stop(context, server)
