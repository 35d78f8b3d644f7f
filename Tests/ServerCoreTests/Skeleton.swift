// ServerCoreTests
