"""A pytest plugin that runs kazoo's own tests against one server, of whatever make.

KAZOO_SERVER_COMMAND  the command that runs the server in the foreground, as a JSON list of words
KAZOO_SERVER_PORT     the port on 127.0.0.1 that it serves clients on
KAZOO_EXCLUSIONS      a file with a line for each test that is left out: a pattern for its name, blanks, the reason
KAZOO_RESULTS         a file that gets a line for each test: how it ended, and its name

Takes the place of kazoo.testing.common, which runs an ensemble of Apache's servers and wants more packages for it.
"""

import atexit
import fnmatch
import json
import os
import socket
import subprocess
import sys
import time
import types

import pytest

START_SECONDS = 60


class Server:
    """What kazoo's tests know as a member of the cluster."""

    def __init__(self, command, port):
        self.command = command
        self.client_port = port
        self.address = self.secure_address = "127.0.0.1:%d" % port
        self.process = None
        atexit.register(self.stop)

    @property
    def running(self):
        return self.process is not None

    def run(self):
        if self.running:
            return
        # In the process group of the tests, so that it ends with them whatever happens.
        self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + START_SECONDS
        while self.ask("srvr").find("Mode: ") < 0:
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("%s does not serve" % self.command[0])
            time.sleep(0.02)

    def stop(self):
        if self.running:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def ask(self, word):
        try:
            with socket.create_connection(("127.0.0.1", self.client_port), 2) as connection:
                connection.sendall(word.encode())
                answer = b""
                while True:
                    part = connection.recv(65536)
                    if not part:
                        return answer.decode()
                    answer += part
        except OSError:
            return ""


class Cluster:
    """What kazoo's tests know as the cluster: the one server, which stays up from class to class."""

    def __init__(self, **settings):
        command = json.loads(os.environ["KAZOO_SERVER_COMMAND"])
        self.server = Server(command, int(os.environ["KAZOO_SERVER_PORT"]))

    def __iter__(self):
        return iter([self.server])

    def __getitem__(self, index):
        return [self.server][index]

    def start(self):
        self.server.run()

    def terminate(self):
        """Called after each class; the next one goes on with the same server."""

    def get_logs(self):
        return []


common = types.ModuleType("kazoo.testing.common")
common.ZookeeperCluster = Cluster
sys.modules["kazoo.testing.common"] = common


def exclusions():
    with open(os.environ["KAZOO_EXCLUSIONS"]) as lines:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                yield line.strip().split(None, 1)


def pytest_collection_modifyitems(items):
    rules = list(exclusions())
    unused = set(pattern for pattern, _ in rules)
    for item in items:
        for pattern, reason in rules:
            if fnmatch.fnmatch(name(item.nodeid), pattern):
                unused.discard(pattern)
                item.add_marker(pytest.mark.skip(reason=reason))
    if unused:
        raise pytest.UsageError("exclusions that match no test: %s" % ", ".join(sorted(unused)))


def name(node_id):
    return node_id[node_id.rindex("tests/") + len("tests/"):]


def pytest_runtest_logreport(report):
    # A failure before or after the test itself counts as the test's.
    if report.when == "call" or report.outcome != "passed":
        with open(os.environ["KAZOO_RESULTS"], "a") as results:
            results.write("%s %s\n" % (report.outcome, name(report.nodeid)))
