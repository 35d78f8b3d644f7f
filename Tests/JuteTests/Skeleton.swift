// JuteTests
