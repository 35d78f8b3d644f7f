"""Rows of large trees: what the number of znodes costs, long random work, snapshots and large answers beside others."""
import concurrent.futures
import pathlib
import re
import subprocess
import time
import urllib.request

from figures import Figure
from loads import light, zkload, Load, Others
from machine import Failure, resident_bytes
from serving import PIPELINE
from storage import settle
import servers

SMALL = 1000
WRITES_A_SECOND = 20_000
# No snapshot but those that a row asks for.
NO_SNAPSHOTS = {"snapCount": 1_000_000_000, "snapSizeLimitInKb": 0}


def tree_size(context):
    return context.scaled(10_000_000, least=10_000)


def start_tree(context):
    """The server with the large tree that the rows here share; its AdminServer takes snapshots on request."""
    port = context.ports.take()
    keys = {
        "admin.enableServer": "true", "admin.serverAddress": "127.0.0.1", "admin.serverPort": port,
        "admin.rateLimiterIntervalInMS": 0, **NO_SNAPSHOTS}
    server = servers.start_on_snapshot(context, "zkcli", context.snapshot(tree_size(context)), keys=keys)
    server.admin = f"http://127.0.0.1:{port}/commands/snapshot?streaming=false"
    return server


def growth(context):
    """The same load on keys of the whole of a tree, small and large."""
    count = tree_size(context)
    figures = {
        mode: Figure(f"growth.{mode}", f"a pipelined {mode} with {count:,} znodes: server's CPU", "us")
        for mode in ("read", "write")}
    large = context.server("zkcli-tree")
    small = servers.start_on_snapshot(context, "zkcli", context.snapshot(SMALL), keys=NO_SNAPSHOTS)
    for _ in range(context.runs):
        for mode, figure in figures.items():
            for target, server, keys in (("zkcli", large, count), ("small", small, SMALL)):
                context.quiet.wait()
                sample = zkload(
                    context, mode, server, "-F", "-k", keys, "-c", PIPELINE[0], "-w", PIPELINE[1], "-d", 100, "-t",
                    context.seconds, "-u", context.warm_seconds)
                figure.add(target, sample["server_cpu_us_per_op"], sample["other_cores"])
    servers.stop(context, small)
    return [*figures.values(), least_growth(context, count)]


def least_growth(context, count):
    """What reads cost a server in C that does nothing but find the data, with a tree as large, and as small."""
    figure = Figure("growth.least", f"a pipelined read with {count:,} znodes: CPU of a server in C that finds it", "us")
    for target, znodes in (("zkcli", count), ("small", SMALL)):
        server = servers.start_null_tree(context, znodes)
        for _ in range(context.runs):
            context.quiet.wait()
            sample = zkload(
                context, "read", server, "-F", "-k", znodes, "-c", PIPELINE[0], "-w", PIPELINE[1], "-d", 100, "-t",
                context.seconds, "-u", context.warm_seconds)
            figure.add(target, sample["server_cpu_us_per_op"], sample["other_cores"])
        servers.stop(context, server)
    return figure


def fragmentation(context):
    """Memory after sets, deletes and creates of random znodes, with values whose mean is what all had in the beginning.

    It takes three minutes; ten times as much with --scale 10, which makes the tree as many times larger too.
    """
    count = tree_size(context)
    seconds = 1 if context.is_smoke else context.scaled(180, least=2)
    figure = Figure("fragmentation.memory", f"{count:,} znodes after {seconds} s of random changes: each", "bytes")
    # A server of its own, which has taken no snapshot: what that leaves in memory is another matter.
    server = servers.start_on_snapshot(context, "zkcli", context.snapshot(count), keys=NO_SNAPSHOTS)
    settle(server)
    figure.add("before", resident_bytes(server.pids) / count)
    sample = zkload(
        context, "churn", server, "-F", "-k", count, "-c", PIPELINE[0], "-w", PIPELINE[1], "-d", 100, "-t", seconds,
        "-T", seconds + 600)
    settle(server)
    # The noise of others changes no byte.
    figure.add("zkcli", resident_bytes(server.pids) / count)
    servers.stop(context, server)
    figure.work += f" ({sample['ops'] / count:.1f} changes of each)"
    return [figure]


def take_snapshot(server):
    """Seconds that the server needs for a snapshot."""
    begin = time.monotonic()
    # Who is world:anyone may do everything to the root; the AdminServer wants to hear who it is all the same.
    request = urllib.request.Request(server.admin, headers={"Authorization": "digest kit:kit"})
    with urllib.request.urlopen(request, timeout=600) as answer:
        if answer.status != 200:
            raise Failure(f"snapshot: {answer.read()[:300]}")
        answer.read()
    return time.monotonic() - begin


def forget_snapshots(context, server):
    """All but the newest, because they are large."""
    text = (server.directory / "zoo.cfg").read_text()
    data = pathlib.Path(re.search(r"^dataDir=(.*)", text, re.M).group(1))
    for old in sorted((data / "version-2").glob("snapshot.*"), key=lambda path: path.stat().st_mtime)[:-1]:
        old.unlink()


def peak_bytes(pids):
    return sum(
        int(re.search(r"^VmHWM:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M).group(1)) * 1024
        for pid in pids)


def forget_peak(pids):
    for pid in pids:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")


def snapshot_while(context):
    count = tree_size(context)
    rate = WRITES_A_SECOND // 10 if context.is_smoke else WRITES_A_SECOND
    work = f"a snapshot of {count:,} under {rate:,} writes a second"
    figures = {
        "read": Figure("snapshot-while.read", f"{work}: a lone reader's p99.9", "us"),
        "write": Figure("snapshot-while.write", f"{work}: a lone writer's p99.9", "us")}
    memory = Figure("snapshot-while.memory", f"{work}: memory", "MiB")
    server = context.server("zkcli-tree")

    def load(mode, *options):
        return Load.zkload(context, mode, server, "-F", "-k", count, "-T", 900, *options)

    def writes(seconds):
        return load("write", "-c", 4, "-w", 256, "-R", rate, "-t", f"{seconds:.2f}")

    # How long a snapshot takes says how long clients are to be watched. Memory is counted from before the first one:
    # what one has needed may stay with the process, and the next one finds it there.
    forget_peak(server.pids)
    memory.add("without", resident_bytes(server.pids) / 2**20)
    background = writes(600)
    try:
        seconds = max(0.3, take_snapshot(server))
    finally:
        background.end()
    forget_snapshots(context, server)
    speeds, taken = [], []
    aside = concurrent.futures.ThreadPoolExecutor(1)
    for _ in range(context.runs):
        for target in ("without", "zkcli"):
            context.quiet.wait()
            background = writes(seconds + 1)
            time.sleep(0.3)
            others = Others(server.pids)
            if target == "zkcli":
                snapshot = aside.submit(take_snapshot, server)
            lone = {mode: load(mode, "-c", 1, "-w", 1, "-t", f"{seconds:.2f}") for mode in figures}
            samples = {mode: one.result() for mode, one in lone.items()}
            speeds.append(background.result()["ops_per_s"])
            other_cores = others.cores()
            for mode, sample in samples.items():
                figures[mode].add(target, sample["p999_us"], other_cores)
            if target == "zkcli":
                taken.append(snapshot.result())
                forget_snapshots(context, server)
    memory.add("zkcli", peak_bytes(server.pids) / 2**20)
    speed = Figure("snapshot-while.rate", "writes a second meanwhile, the least of all runs", "/s", True)
    speed.add("zkcli", min(speeds))
    speed.add("asked", rate)
    span = Figure("snapshot-while.time", "how long the snapshot takes meanwhile", "ms")
    for each in taken:
        span.add("zkcli", each * 1000)
    return [*figures.values(), memory, speed, span]


def big_answers(context):
    """A light client beside one that asks for very much, again and again."""
    count, children = context.scaled(1_000_000, least=10_000), context.scaled(300_000, least=3000)
    listing = Figure("big-answers.list", f"a light client's p99 beside getChildren of {children:,}", "ms")
    tree = Figure("big-answers.tree", f"a light client's p99 beside ls -R of {count:,}", "ms")
    server = servers.start_on_snapshot(context, "zkcli", context.snapshot(count), keys=NO_SNAPSHOTS)
    options = ("-p", "/big", "-k", children, "-c", 1, "-w", 1)
    zkload(context, "list", server, *options, "-n", 1)
    words = [str(context.zkcli), "-s", server.address, "ls", "-R", "/zkload"]
    begin = time.monotonic()
    listed = subprocess.run(words, capture_output=True)
    if listed.returncode or listed.stdout.count(b"\n") < count:
        raise Failure(f"ls -R: {listed.stdout.count(10)} lines, {listed.stderr.decode()[:300]}")
    seconds = max(0.3, time.monotonic() - begin)
    for _ in range(context.runs):
        for figure, span in ((listing, context.seconds), (tree, seconds)):
            context.quiet.wait()
            sample = light(context, server, count, span)
            figure.add("without", sample["p99_us"] / 1000, sample["other_cores"])
            others = Others(server.pids)
            if figure is listing:
                big = Load.zkload(context, "list", server, *options, "-x", "-t", f"{span + 0.5:.2f}")
            else:
                big = subprocess.Popen(words, stdout=subprocess.DEVNULL)
            sample = light(context, server, count, span)
            if figure is listing:
                big.result()
            elif big.wait(600):
                raise Failure(f"ls -R: exit code {big.returncode}")
            figure.add("zkcli", sample["p99_us"] / 1000, others.cores())
    servers.stop(context, server)
    return [listing, tree]
