"""Rows of the storage: restarts on a snapshot, and what a tree takes of memory."""
import shutil
import subprocess
import time

from figures import Figure
from loads import trees, Others
from machine import cpu_seconds, resident_bytes
from serving import peers
import servers

# A znode's name and data: n00000000, and 100 bytes.
PAYLOAD_BYTES = 109


def settle(server):
    """Lets a virtual machine give back what it does not need, as generously as it can."""
    if server.name == "apache":
        for _ in range(2):
            subprocess.run(["jcmd", str(server.pids[0]), "GC.run"], capture_output=True)
            time.sleep(1)
    else:
        time.sleep(1)


def measure_restart(context, key, znodes):
    count = context.scaled(znodes, least=10_000)
    snapshot = context.snapshot(count)
    span = Figure(f"{key}.time", f"restart with {count:,} znodes: until it serves", "ms")
    cpu = Figure(f"{key}.cpu", f"restart with {count:,} znodes: CPU", "ms")
    memory = Figure(f"{key}.memory", f"memory with {count:,} znodes", "MiB")
    # A virtual machine needs about 500 bytes a znode, and as much again to collect.
    heap = max(2048, count * 1000 >> 20)
    for _ in range(context.runs):
        for name in ["zkcli", *peers(context, (span, cpu, memory), ("apache",))]:
            data = servers.folder(context, "data")
            (data / "version-2").mkdir()
            # A copy: Apache's server writes its first snapshot into the file that it has read.
            shutil.copyfile(snapshot, data / "version-2" / "snapshot.1")
            context.quiet.wait()
            others, since = Others(), time.time_ns()
            server = servers.start_standalone(context, name, data, ready=None, heap_mib=heap)
            milliseconds = servers.wait(context, server, "read", since)
            cpu.add(name, cpu_seconds(server.pids) * 1000, others.cores())
            span.add(name, milliseconds, others.cores())
            settle(server)
            memory.add(name, resident_bytes(server.pids) / 2**20)
            servers.stop(context, server)
            shutil.rmtree(data)
    memory.add("payload", count * PAYLOAD_BYTES / 2**20)
    for target, mode in (("floor", "names"), ("kept", "keep")):
        for sample in trees(context, mode, snapshot, context.runs + 1):
            span.add(target, sample["ms"])
            cpu.add(target, sample["cpu_ms"])
    return [span, cpu, memory]


def restart(context):
    return measure_restart(context, "restart", 1_000_000)


def restart_large(context):
    return measure_restart(context, "restart-large", 10_000_000)
