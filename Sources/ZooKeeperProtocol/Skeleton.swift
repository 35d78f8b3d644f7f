// ZooKeeperProtocol
