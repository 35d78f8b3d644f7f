// ZooKeeperClientTests
