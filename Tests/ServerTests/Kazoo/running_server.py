"""A pytest plugin that lets kazoo's own tests run against one server that is already there.

KAZOO_SERVER names it (host:port). Tests that stop or restart servers are skipped: they need more than a server.
"""

import os
import unittest

from kazoo.testing import harness


class RunningServer:
    running = True

    def __init__(self, address):
        self.address = self.secure_address = address
        self.client_port = int(address.rsplit(":", 1)[1])

    def run(self):
        """It runs already."""

    def __getattr__(self, name):
        raise unittest.SkipTest("needs a server that can be stopped (%s)" % name)


class RunningCluster(list):
    def start(self):
        """It is there already."""

    def get_logs(self):
        return []

    def __getattr__(self, name):
        raise unittest.SkipTest("needs a cluster that can be stopped (%s)" % name)


CLUSTER = RunningCluster([RunningServer(os.environ["KAZOO_SERVER"])])
harness.get_global_cluster = lambda: CLUSTER
