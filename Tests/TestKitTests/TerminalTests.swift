import TestKit
import Testing

/// The terminal: keys in, screen out.
@Suite(.timeLimit(.minutes(10)))
struct TerminalTests {
  @Test func keysGoInAndTheScreenComesOut() async throws {
    let terminal = try await Terminal.start("/bin/sh", environment: ["PS1": "ready> ", "PATH": "/usr/bin:/bin"])
    try await terminal.waitFor("ready>")
    try await terminal.type("echo $((6 * 7)) -q; exit 3")
    try await eventually("the echo of what was typed") { try await terminal.cursor() == (column: 33, row: 0) }
    try await terminal.send("Enter")
    try await terminal.waitFor("\n42 -q")
    #expect(try await terminal.waitForExit() == 3)
    try await terminal.close()
  }

  @Test func sizeIsTheOneGivenAndCanChange() async throws {
    let script = "while read -r line; do stty size; done"
    let terminal = try await Terminal.start("/bin/sh", ["-c", script], columns: 60, rows: 10)
    try await terminal.send("Enter")
    try await terminal.waitFor("10 60")
    try await terminal.resize(columns: 40, rows: 12)
    try await terminal.send("Enter")
    try await terminal.waitFor("12 40")
  }

  @Test func waitThatFailsShowsTheScreen() async throws {
    let terminal = try await Terminal.start("/bin/sh", ["-c", "echo something else; read -r line"])
    try await terminal.waitFor("something else")
    let error = await #expect(throws: TestKitError.self) {
      try await terminal.waitFor("never", timeout: .milliseconds(50))
    }
    #expect(error?.context.contains("something else") == true)
  }
}
