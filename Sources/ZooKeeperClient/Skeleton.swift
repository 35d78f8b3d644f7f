// ZooKeeperClient
