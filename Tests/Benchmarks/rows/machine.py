"""The machine that everything is measured on: what it is, how busy it is, free ports, processes that end with us."""
import os
import pathlib
import platform
import re
import shutil
import signal
import socket
import subprocess
import time

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


class Failure(Exception):
    """A row could not be measured; the text says why."""


def first_line(*words):
    """The first line that a command prints; empty if it is not there."""
    if not shutil.which(words[0]):
        return ""
    result = subprocess.run(words, capture_output=True, text=True, timeout=60)
    lines = (result.stdout + result.stderr).splitlines()
    return lines[0].strip() if lines else ""


def describe(zkcli, work):
    """What a reader needs to know beside the figures."""
    model = re.search(r"^model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    memory = re.search(r"^MemTotal:\s*(\d+)", pathlib.Path("/proc/meminfo").read_text(), re.M)
    disk = first_line("findmnt", "--noheadings", "--output", "SOURCE,FSTYPE", "--target", str(work))
    zookeeper = first_line("dpkg-query", "--show", "--showformat=${Version}", "zookeeper")
    return {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "processor": model.group(1) if model else platform.machine(),
        "cores": os.cpu_count(),
        "memory_gib": round(int(memory.group(1)) / 2**20, 1) if memory else None,
        "kernel": platform.release(),
        "disk": disk,
        "zkcli": first_line(zkcli, "--version"),
        "apache": zookeeper,
        "java": first_line("java", "-version"),
        "etcd": first_line("etcd", "--version"),
        "redis": first_line("redis-server", "--version"),
    }


def load_average():
    return list(os.getloadavg())


def busy_ticks():
    """User, nice, system and interrupt time of the whole machine."""
    fields = list(map(int, pathlib.Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]))
    return fields[0] + fields[1] + fields[2] + fields[5] + fields[6]


def cpu_seconds(pids):
    """User and system time of processes, by the kernel's accounts."""
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS_A_SECOND


def resident_bytes(pids):
    total = 0
    for pid in pids:
        found = re.search(r"^VmRSS:\s*(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.M)
        total += int(found.group(1)) * 1024 if found else 0
    return total


class Quiet:
    """Waits for a quiet machine before a sample; less and less long while it never is."""

    NOISE_CORES = 0.25

    def __init__(self, patience):
        self.longest = self.patience = patience

    def wait(self):
        end = time.monotonic() + self.patience
        while self.patience >= 1:
            before = busy_ticks()
            time.sleep(0.5)
            if (busy_ticks() - before) / TICKS_A_SECOND / 0.5 <= self.NOISE_CORES:
                self.patience = self.longest
                return
            if time.monotonic() > end:
                self.patience /= 2
                return


class Ports:
    """Ports on loopback that nobody listens on, each given once.

    They are below those that the kernel gives to clients, so that no connection takes one before its server does.
    """

    def __init__(self):
        self.next = 20000 + os.getpid() * 7 % 10000

    def take(self):
        for _ in range(12000):
            self.next = 20000 + (self.next - 19999) % 12000
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", self.next))
                except OSError:
                    continue
                return self.next
        raise Failure("no port is free")


class Processes:
    """The processes that were started, all of which are ended by their ids."""

    def __init__(self):
        self.running = []

    def start(self, words, log, environment=None):
        with open(log, "ab") as output:
            process = subprocess.Popen(
                [str(word) for word in words], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=dict(os.environ, **(environment or {})))
        self.running.append(process)
        return process

    def stop(self, processes):
        for process in processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process in self.running:
                self.running.remove(process)

    def stop_all(self):
        self.stop(list(self.running))
