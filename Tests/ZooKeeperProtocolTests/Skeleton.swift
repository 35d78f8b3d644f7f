// ZooKeeperProtocolTests
