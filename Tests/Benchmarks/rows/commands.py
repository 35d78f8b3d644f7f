"""Rows of the command line: a one-shot get beside other clients, and a server of one's own."""
import os
import shlex
import statistics
import subprocess
import time

from figures import Figure
from loads import Others, run
from machine import Failure
from serving import peers

CLI_MT = "/usr/lib/zookeeper/bin/cli_mt"


def cpu_milliseconds(words, count, environment=None):
    """The mean CPU of a command, user and system, and the median of its wall time, in milliseconds."""
    null = os.open(os.devnull, os.O_RDWR)
    actions = [(os.POSIX_SPAWN_DUP2, null, descriptor) for descriptor in range(3)]
    cpu, walls = 0.0, []
    environment = dict(os.environ, **(environment or {}))
    for _ in range(count):
        begin = time.monotonic()
        child = os.posix_spawnp(str(words[0]), [str(word) for word in words], environment, file_actions=actions)
        _, status, usage = os.wait4(child, 0)
        walls.append((time.monotonic() - begin) * 1000)
        if status:
            raise Failure(f"{' '.join(map(str, words))}: exit code {os.waitstatus_to_exitcode(status)}")
        cpu += usage.ru_utime + usage.ru_stime
    os.close(null)
    return cpu / count * 1000, statistics.median(walls)


def peak_mebibytes(context, words):
    """The largest resident memory of a command."""
    result = subprocess.run([str(word) for word in [context.kit / "peak", *words]], capture_output=True, text=True)
    if result.returncode:
        raise Failure(f"{' '.join(map(str, words))}: {result.stderr}")
    return int(result.stderr.split()[-1]) / 1024


def one_shot(context):
    cpu = Figure("get.cpu", "a one-shot get: the command's CPU", "ms")
    wall = Figure("get.time", "a one-shot get: the command's time", "ms")
    memory = Figure("get.memory", "a one-shot get: the command's largest resident memory", "MiB")
    server = context.server("zkcli")
    subprocess.run([context.zkcli, "-s", server.address, "create", "/get", "v"], capture_output=True)
    commands = {"zkcli": ([context.zkcli, "-s", server.address, "get", "/get"], None)}
    if os.access(CLI_MT, os.X_OK):
        commands["cli_mt"] = ([CLI_MT, "-h", server.address, "-c", "get /get"], None)
    else:
        cpu.absent["cli_mt"] = wall.absent["cli_mt"] = "not installed: apt-get install zookeeper-bin"
    for name in peers(context, (cpu, wall), ("etcd", "redis")):
        host = context.server(name).hosts[0]
        if name == "etcd":
            environment = {"ETCDCTL_API": "3"}
            run(["etcdctl", f"--endpoints={host}", "put", "/get", "v"], dict(os.environ, **environment))
            commands[name] = (["etcdctl", f"--endpoints={host}", "get", "/get"], environment)
        else:
            run(["redis-cli", "-p", host.rpartition(":")[2], "set", "/get", "v"])
            commands[name] = (["redis-cli", "-p", host.rpartition(":")[2], "get", "/get"], None)
    for name in [name for name in ("zkcli", "cli_mt") if name in commands]:
        memory.add(name, peak_mebibytes(context, commands[name][0]))
    for _ in range(context.runs):
        for name, (words, environment) in commands.items():
            context.quiet.wait()
            others = Others()
            used, milliseconds = cpu_milliseconds(words, context.scaled(50, least=5), environment)
            cpu.add(name, used, others.cores())
            wall.add(name, milliseconds, others.cores())
    return [cpu, wall, memory]


def local(context):
    return [measure_local(context, "local", "--local"), measure_local(context, "local-3", "--local", "3")]


def measure_local(context, key, *options):
    figure = Figure(f"{key}.time", f"zkcli {' '.join(options)}, from exec to the first answer", "ms")
    inner = f"{shlex.quote(str(context.zkcli))} exists / && date +%s%N"
    for _ in range(max(3, context.runs * 2)):
        context.quiet.wait()
        others, begin = Others(), time.time_ns()
        # The child is the first client; it tells when it has its answer.
        output = run([context.zkcli, "--quiet", *options, "--", "sh", "-c", inner])
        figure.add("zkcli", (int(output.split()[-1]) - begin) / 1e6, others.cores())
    return figure
