import Foundation
import Testing

@testable import LineEditor

/// What happens between two lines, and how a session ends.
@Suite(.serialized) struct WaitingTests {
  @Test(.timeLimit(.minutes(10))) func interruptEndsAWait() throws {
    let session = try TmuxSession()
    try session.enter("wait")
    try session.waitForEnd("waiting", "printed while waiting")
    try session.press("C-c")
    try session.waitForEnd("^Cwait: interrupted", "probe>")
  }

  @Test(.timeLimit(.minutes(10))) func flagEndsAWaitAndTypingAheadIsKept() throws {
    let session = try TmuxSession()
    try session.enter("wait 300")
    try session.waitFor("printed while waiting")
    try session.type("ahead")
    try session.waitFor("wait: done")
    try session.waitForEnd("probe> ahead")
  }

  @Test(.timeLimit(.minutes(10))) func terminationSignalLeavesInOrder() throws {
    let session = try TmuxSession()
    try session.type("typed")
    try session.waitForEnd("probe> typed")
    try session.signalProbe(SIGTERM)
    try session.waitForEnd("probe> typed", "terminated 15", "status: 143")
  }

  @Test(.timeLimit(.minutes(10))) func stoppedShellContinuesWithItsLine() throws {
    let session = try TmuxSession(underJobControl: true)
    try session.type("typed")
    // A terminal throws away what nobody has read when it stops a program.
    try session.waitForEnd("probe> typed")
    try session.press("C-z")
    try session.waitFor("Stopped")
    try session.enter("fg")
    try session.waitForEnd("probe> typed")
    try session.enter(" on")
    try session.waitFor("line: <typed on>")
  }

  @Test func flagIsLoweredByTheWaitThatSawIt() {
    let flag = WakeUp()
    #expect(!flag.consume())
    flag.signal()
    #expect(flag.consume())
    #expect(!flag.consume())
  }
}
