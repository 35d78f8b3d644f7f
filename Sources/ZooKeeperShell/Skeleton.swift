// ZooKeeperShell
