"""The servers that rows compare: ours, floors in C, the peers that are installed; each on free ports of loopback."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import time

from machine import Failure

APACHE_JARS = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-log4j12.jar:/usr/share/java/log4j-1.2.jar"
START_SECONDS = 120


class Server:
    """A server, or an ensemble: its processes, where its clients connect, where its data is."""

    def __init__(self, name, processes, hosts, directory, launch=None):
        self.name, self.processes, self.hosts, self.directory, self.launch = name, processes, hosts, directory, launch

    @property
    def pids(self):
        return [process.pid for process in self.processes]

    @property
    def address(self):
        return ",".join(self.hosts)


def reason_missing(name):
    """Why there is no such peer here; None if there is one."""
    needed = {
        "apache": [shutil.which("java"), os.path.exists("/usr/share/java/zookeeper.jar")],
        "etcd": [shutil.which("etcd"), shutil.which("etcdctl")],
        "redis": [shutil.which("redis-server"), shutil.which("redis-benchmark")],
    }
    packages = {"apache": "zookeeper", "etcd": "etcd-server etcd-client", "redis": "redis-server redis-tools"}
    if name not in needed or all(needed[name]):
        return None
    return f"not installed: apt-get install {packages[name]}"


TICK_MS = 2000


def configuration(directory, port, members=(), keys=None):
    """The text of a zoo.cfg; `keys` come on top of what all servers have."""
    values = {
        "dataDir": directory, "clientPort": port, "clientPortAddress": "127.0.0.1", "maxClientCnxns": 0,
        "admin.enableServer": "false", "4lw.commands.whitelist": "*", "tickTime": TICK_MS, "initLimit": 60,
        "syncLimit": 10, **(keys or {})}
    return "".join(line + "\n" for line in [*(f"{key}={value}" for key, value in values.items()), *members])


def launcher(context, name, directory, heap_mib=2048):
    """The words in front of a configuration's path that start ours or Apache's server."""
    if name != "apache":
        return [context.zkcli, "server", "run"]
    properties = directory / "log4j.properties"
    properties.write_text(
        f"log4j.rootLogger=WARN,F\nlog4j.appender.F=org.apache.log4j.FileAppender\n"
        f"log4j.appender.F.File={directory}/zookeeper.log\nlog4j.appender.F.layout=org.apache.log4j.SimpleLayout\n")
    return [
        "java", f"-Xmx{heap_mib}m", f"-Dlog4j.configuration=file:{properties}", "-cp", APACHE_JARS,
        "org.apache.zookeeper.server.quorum.QuorumPeerMain"]


def folder(context, name):
    path = context.work / f"{name}-{len(list(context.work.iterdir()))}"
    path.mkdir()
    return path


def wait(context, server, what="read", since_ns=None, hosts=None):
    """The milliseconds until a server has answered."""
    words = [context.kit / "zkload", "wait", "-o", what, "-T", str(START_SECONDS)]
    if since_ns:
        words += ["-z", str(since_ns)]
    result = subprocess.run([*words, ",".join(hosts or server.hosts)], capture_output=True, text=True)
    if result.returncode:
        logs = "".join(path.read_text(errors="replace")[-2000:] for path in server.directory.rglob("log"))
        raise Failure(f"{server.name} does not serve: {result.stderr}{logs}")
    return json.loads(result.stdout)["ms"]


def start_standalone(context, name, data=None, ready="write", heap_mib=2048, keys=None):
    """Starts ours or Apache's server; `data` becomes its directory."""
    directory = folder(context, name)
    data = data or directory / "data"
    data.mkdir(exist_ok=True)
    port = context.ports.take()
    (directory / "zoo.cfg").write_text(configuration(data, port, keys=keys))
    words = [*launcher(context, name, directory, heap_mib), directory / "zoo.cfg"]
    server = Server(name, [context.processes.start(words, directory / "log")], [f"127.0.0.1:{port}"], directory, words)
    if ready:
        wait(context, server, ready)
    return server


def start_null(context, logged):
    name = "log" if logged else "null"
    directory = folder(context, "null")
    port = context.ports.take()
    words = [context.kit / "limits", "null", port] + ([directory] if logged else [])
    server = Server(name, [context.processes.start(words, directory / "log")], [f"127.0.0.1:{port}"], directory)
    wait(context, server)
    return server


def start_null_tree(context, znodes):
    """The null server that finds the data of each read in a tree as large as that of trees.c."""
    directory = folder(context, "null")
    port = context.ports.take()
    words = [context.kit / "limits", "tree", port, znodes]
    server = Server("null", [context.processes.start(words, directory / "log")], [f"127.0.0.1:{port}"], directory)
    wait(context, server)
    return server


def start_etcd(context, count):
    directory = folder(context, "etcd")
    members = [(f"m{index}", context.ports.take(), context.ports.take()) for index in range(count)]
    cluster = ",".join(f"{name}=http://127.0.0.1:{peer}" for name, _, peer in members)
    processes = []
    for name, client, peer in members:
        clients, peers = f"http://127.0.0.1:{client}", f"http://127.0.0.1:{peer}"
        words = [
            "etcd", "--name", name, "--data-dir", directory / name, "--log-level", "error",
            "--listen-client-urls", clients, "--advertise-client-urls", clients,
            "--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", cluster]
        # Debian's etcd wants to be told that one means it, on arm64 alone.
        processes.append(context.processes.start(words, directory / "log", {"ETCD_UNSUPPORTED_ARCH": "arm64"}))
    server = Server("etcd", processes, [f"127.0.0.1:{client}" for _, client, _ in members], directory)
    end = time.monotonic() + START_SECONDS
    while not etcd_leader(server):
        if time.monotonic() > end:
            raise Failure(f"etcd does not serve: {(directory / 'log').read_text()[-2000:]}")
        time.sleep(0.2)
    return server


def etcd_leader(server):
    """The host of the leader; None if there is none, or somebody does not answer."""
    result = subprocess.run(
        ["etcdctl", f"--endpoints={server.address}", "endpoint", "status", "--write-out=json"], capture_output=True,
        text=True, env=dict(os.environ, ETCDCTL_API="3"))
    try:
        for member in json.loads(result.stdout or "[]"):
            status = member["Status"]
            if status.get("leader") and status["leader"] == status["header"]["member_id"]:
                return member["Endpoint"]
    except (ValueError, KeyError):
        return None


def start_redis(context):
    """With an append-only file that is synced before each answer, as our log is."""
    directory = folder(context, "redis")
    port = context.ports.take()
    words = [
        "redis-server", "--bind", "127.0.0.1", "--port", port, "--dir", directory, "--save", "", "--appendonly", "yes",
        "--appendfsync", "always", "--daemonize", "no"]
    server = Server("redis", [context.processes.start(words, directory / "log")], [f"127.0.0.1:{port}"], directory)
    end = time.monotonic() + START_SECONDS
    while b"PONG" not in subprocess.run(["redis-cli", "-p", str(port), "ping"], capture_output=True).stdout:
        if time.monotonic() > end:
            raise Failure(f"redis does not serve: {(directory / 'log').read_text()[-2000:]}")
        time.sleep(0.1)
    return server


def start_on_snapshot(context, name, snapshot, heap_mib=2048, keys=None):
    """A server of its own that begins with a copy of a snapshot."""
    data = folder(context, "data")
    (data / "version-2").mkdir()
    # A copy: Apache's server writes its first snapshot into the file that it has read.
    shutil.copyfile(snapshot, data / "version-2" / pathlib.Path(snapshot).name)
    return start_standalone(context, name, data, heap_mib=heap_mib, keys=keys)


def monitored(context, server, key, host=None):
    """A number of mntr's."""
    words = [context.kit / "zkload", "4lw", "-o", "mntr", host or server.hosts[0]]
    found = re.search(rf"^{key}\t(\d+)", subprocess.run(words, capture_output=True, text=True).stdout, re.M)
    if not found:
        raise Failure(f"{server.name}: mntr has no {key}")
    return int(found.group(1))


def start_ensemble(context, name, data=None, count=3, started=3, keys=None):
    """Starts `started` of three servers of ours or Apache's, with a copy of the snapshot `data` in each directory."""
    directory = folder(context, name)
    ports = [(context.ports.take(), context.ports.take(), context.ports.take()) for _ in range(count)]
    members = [f"server.{index + 1}=127.0.0.1:{ports[index][1]}:{ports[index][2]}" for index in range(count)]
    launches = []
    for index in range(count):
        home = directory / str(index + 1)
        (home / "data" / "version-2").mkdir(parents=True)
        (home / "data" / "myid").write_text(f"{index + 1}\n")
        (home / "zoo.cfg").write_text(configuration(home / "data", ports[index][0], members, keys))
        if data and index < started:
            shutil.copyfile(data, home / "data" / "version-2" / pathlib.Path(data).name)
        launches.append([*launcher(context, name, home), home / "zoo.cfg"])
    processes = [
        context.processes.start(launches[index], directory / str(index + 1) / "log") for index in range(started)]
    hosts = [f"127.0.0.1:{ports[index][0]}" for index in range(count)]
    server = Server(name, processes, hosts, directory, launches)
    for index in range(started):
        wait(context, server, "write", hosts=[hosts[index]])
    return server


def leader_index(context, server):
    """Which of the ensemble's servers leads."""
    for index, host in enumerate(server.hosts[:len(server.processes)]):
        result = subprocess.run([context.kit / "zkload", "4lw", "-o", "srvr", host], capture_output=True, text=True)
        if re.search(r"^Mode: leader", result.stdout, re.M):
            return index
    raise Failure(f"{server.name}: no server leads")


def stop(context, server):
    context.processes.stop(server.processes)
    shutil.rmtree(server.directory, ignore_errors=True)
