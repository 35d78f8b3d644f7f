"""The loads: zkload for everything that speaks ZooKeeper's protocol, and its likes for etcd and Redis."""
import csv
import io
import json
import resource
import subprocess
import time

from machine import Failure, busy_ticks, cpu_seconds, TICKS_A_SECOND

LONGEST_SECONDS = 900


def run(words, environment=None):
    result = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=environment)
    if result.returncode:
        raise Failure(f"{' '.join(map(str, words))}: exit code {result.returncode}: {result.stderr or result.stdout}")
    return result.stdout


def zkload(context, mode, server, *options, hosts=None, pids=None):
    """One line of zkload's, as a dictionary."""
    words = [context.kit / "zkload", mode, *options, "-P", ",".join(map(str, pids or server.pids))]
    return json.loads(run([*words, hosts or server.address]).splitlines()[-1])


class Load:
    """A load that goes on while something else is done."""

    def __init__(self, words, stdin=subprocess.DEVNULL):
        self.words = [str(word) for word in words]
        self.process = subprocess.Popen(
            self.words, stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @classmethod
    def zkload(cls, context, mode, server, *options, hosts=None):
        return cls([
            context.kit / "zkload", mode, *options, "-P", ",".join(map(str, server.pids)), hosts or server.address])

    def result(self):
        """Its last line, when it has ended by itself."""
        output, errors = self.process.communicate(timeout=LONGEST_SECONDS)
        if self.process.returncode:
            raise Failure(f"{' '.join(self.words)}: exit code {self.process.returncode}: {errors or output}")
        return json.loads(output.splitlines()[-1])

    def end(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()


def light(context, server, keys, seconds, hosts=None):
    """A light client beside other work on a tree of trees.c: one request at a time, a read or a write."""
    return zkload(
        context, "mixed", server, "-F", "-k", keys, "-r", 50, "-c", 1, "-w", 1, "-t", f"{seconds:.2f}", hosts=hosts)


def floors(context, mode, *words):
    """The lines of floors.c."""
    return [json.loads(line) for line in run([context.kit / "floors", mode, *words]).splitlines()]


def trees(context, mode, *words):
    """The lines of trees.c."""
    return [json.loads(line) for line in run([context.kit / "trees", mode, *words]).splitlines()]


def etcd_load(context, server, is_write, connections, window, hosts=None):
    words = [
        context.kit / "etcd-load", "write" if is_write else "read", hosts or server.address, connections, window,
        context.seconds, 1000, 100, ",".join(map(str, server.pids))]
    others = Others(server.pids)
    sample = json.loads(run(words))
    sample["other_cores"] = others.cores()
    return sample


def redis_load(context, server, is_write, connections, window):
    """redis-benchmark counts operations, so that a short run says how many a long one needs."""
    port = server.hosts[0].rpartition(":")[2]

    def once(count, kind):
        output = run([
            "redis-benchmark", "-h", "127.0.0.1", "-p", port, "-c", connections, "-P", window, "-n", int(count), "-d",
            100, "-r", 1000, "-t", kind, "--csv"])
        return list(csv.DictReader(io.StringIO(output)))[-1]

    kind = "set" if is_write else "get"
    # The keys; a thousand are hit by so many with near certainty.
    run(["redis-benchmark", "-p", port, "-P", 64, "-n", 20000, "-d", 100, "-r", 1000, "-t", "set", "-q"])
    probe = 200 * connections * window ** 0.5
    count = max(probe, float(once(probe, kind)["rps"]) * context.seconds)
    # Whole rounds, or its last batch is short of answers.
    count -= count % (connections * window)
    others = Others(server.pids)
    cpu = cpu_seconds(server.pids)
    row = once(count, kind)
    cpu = cpu_seconds(server.pids) - cpu
    return {
        "ops_per_s": float(row["rps"]), "p50_us": float(row["p50_latency_ms"]) * 1000,
        "server_cpu_us_per_op": cpu / count * 1e6, "other_cores": others.cores()}


class Others:
    """How many cores others use while something is measured."""

    def __init__(self, pids=()):
        self.pids = list(pids)
        self.time, self.busy, self.own = time.monotonic(), busy_ticks(), self._own()

    def _own(self):
        usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
        return cpu_seconds(self.pids) + sum(each.ru_utime + each.ru_stime for each in usage)

    def cores(self):
        wall = time.monotonic() - self.time
        used = (busy_ticks() - self.busy) / TICKS_A_SECOND - (self._own() - self.own)
        return max(0.0, used / wall) if wall > 0 else 0.0
