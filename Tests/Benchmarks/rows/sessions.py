"""Rows of many sessions: what idle ones cost, and what others see when many expire at once."""
import json
import resource
import time

from figures import Figure
from loads import run, zkload, Others
from machine import Failure
from serving import peers
import servers

# Beside the connections: files, the listener, what the standard library has open.
DESCRIPTORS_BESIDE = 200
# More than any row needs; servers grant 20 ticks without it.
LONGEST_TIMEOUT_MS = 600_000


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
    worst = Figure("expiry.worst", f"{count:,} sessions expire at once: a light client's worst latency", "ms")
    # Apache's server is left out: with no more than 2,000 sessions the row took over a minute with it.
    for _ in range(context.runs):
        measure_expiry(context, worst, "zkcli", count)
    return [worst]


def leave(context, server, count, timeout):
    """Leaves sessions to expire; the milliseconds that it takes to open them."""
    return json.loads(run([context.kit / "crowd", "leave", count, timeout, server.address]))["seconds"] * 1000


def measure_expiry(context, worst, name, count):
    server = servers.start_standalone(context, name, keys={"maxSessionTimeout": LONGEST_TIMEOUT_MS})
    # Long enough to open them all, with room, as a part of them shows; and to say what is seen without expiry.
    each = leave(context, server, count // 10, LONGEST_TIMEOUT_MS) / (count // 10)
    timeout = int(2 * servers.TICK_MS + 2 * each * count)
    leave(context, server, count, timeout)
    context.processes.stop(server.processes)
    context.quiet.wait()
    server.processes = [context.processes.start(server.launch, server.directory / "log")]
    servers.wait(context, server)
    start = time.monotonic()
    there = servers.monitored(context, server, "zk_global_sessions")
    if there < count:
        raise Failure(f"{name}: {there} of {count} sessions are left after a restart: opening them takes too long")
    # The few that were opened first have more time. The tracker rounds up to a tick.
    for target, until in (("without", timeout / 1000 - 1), (name, (timeout + 2 * servers.TICK_MS) / 1000 + 1)):
        others = Others(server.pids)
        span = max(0.3, start + until - time.monotonic())
        sample = zkload(context, "mixed", server, "-r", 50, "-c", 1, "-w", 1, "-t", f"{span:.2f}")
        if target != "without" or name == "zkcli":
            worst.add(target, sample["max_us"] / 1000, others.cores())
    left = servers.monitored(context, server, "zk_global_sessions")
    if left > count * 0.2:
        raise Failure(f"{name}: {left} of {count} sessions have not expired")
    servers.stop(context, server)
