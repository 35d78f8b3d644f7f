import Foundation
import TestKit
import Testing

/// Commands: their input and output, how they end, and that none outlives its limit.
@Suite(.timeLimit(.minutes(10)))
struct CommandTests {
  @Test func largeInputComesBackWhole() async throws {
    let input = (0..<1_048_576).map { UInt8(truncatingIfNeeded: $0 &* 31) }
    let run = try await CommandRun.run("cat", input: input)
    #expect(run.standardOutput == input)
    #expect(run.exitStatus == 0)
  }

  @Test func bothLargeOutputsAreCollected() async throws {
    let script = "head -c 1000000 /dev/zero; head -c 1000000 /dev/zero >&2; exit 7"
    let run = try await CommandRun.run("/bin/sh", ["-c", script])
    #expect(run.standardOutput.count == 1_000_000)
    #expect(run.standardError.count == 1_000_000)
    #expect(run.exitStatus == 7)
  }

  @Test func inputThatNobodyReadsIsNoFailure() async throws {
    let run = try await CommandRun.run("true", input: [UInt8](repeating: 0, count: 1_048_576))
    #expect(run.exitStatus == 0)
  }

  /// Nothing marks these sockets for `exec`.
  @Test func noneGetsASocketThatIsOpenedMeanwhile() async throws {
    let opening = Task {
      while !Task.isCancelled {
        let sockets = (0..<20).map { _ in socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        for socket in sockets { close(socket) }
        await Task.yield()
      }
    }
    defer { opening.cancel() }
    for _ in 0..<50 {
      let run = try await CommandRun.run("/bin/sh", ["-c", "ls -l /proc/$$/fd"])
      #expect(!run.output.contains("socket:"), "\(run.output)")
    }
  }

  @Test func timeLimitKillsTheCommandAndWhatItStarted() async throws {
    let script = "sleep 6000 & sleep 6000"
    let run = try await CommandRun.run("/bin/sh", ["-c", script], timeLimit: .milliseconds(200))
    #expect(run.wasOverTime)
    #expect(run.ending == .signalled(SIGKILL))
    #expect(run.elapsed < .seconds(6000))
  }

  @Test func environmentIsOnlyWhatIsGiven() async throws {
    let run = try await CommandRun.run("/usr/bin/env", environment: ["ONLY": "this"])
    #expect(run.output == "ONLY=this\n")
  }

  @Test func signalsAndTheMaskAreTheDefaultOnes() async throws {
    let run = try await CommandRun.run("grep", ["-E", "^Sig(Blk|Ign)", "/proc/self/status"])
    let masks = run.output.split(separator: "\n").compactMap { UInt64($0.suffix(16), radix: 16) }
    // The C library keeps signals 32 and 33 to itself; what it does with them is not ours to change.
    #expect(masks.map { $0 & 0x7fff_ffff } == [0, 0])
  }

  @Test func childrenInheritThreeDescriptorsAlone() async throws {
    let leaked = try FakeServer(.silence)
    let run = try await CommandRun.run("/bin/sh", ["-c", "ls /proc/$$/fd"])
    // The shell may have one, from 10 up.
    #expect(run.output.split(separator: "\n").compactMap { Int($0) }.filter { $0 < 10 } == [0, 1, 2])
    leaked.stop()
  }

  @Test func linesAreReadAsTheyCome() async throws {
    let command = try RunningCommand("cat")
    try command.write("one\ntwo\nthr")
    #expect(try await command.nextLine() == "one")
    #expect(try await command.nextLine() == "two")
    try command.write("ee")
    command.closeInput()
    #expect(try await command.nextLine() == "three")
    #expect(try await command.nextLine() == nil)
    #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(0))
  }

  @Test func lineThatDoesNotComeTimesOut() async throws {
    let command = try RunningCommand("cat")
    await #expect(throws: TestKitError.self) { try await command.nextLine(within: .milliseconds(50)) }
  }

  @Test func signalIsHowItEnded() async throws {
    let command = try RunningCommand("cat")
    command.send(signal: SIGTERM)
    #expect(try await command.waitForEnd(within: .seconds(90)) == .signalled(SIGTERM))
  }

  @Test func commandThatNobodyHoldsIsKilled() async throws {
    let processID = try RunningCommand("sleep", ["60"]).processID
    try await eventually("end of the process") { kill(processID, 0) != 0 }
  }

  @Test func missingExecutableIsAnError() async {
    await #expect(throws: TestKitError.self) { try await CommandRun.run("/nonexistent/command") }
  }

  @Test func builtExecutableIsFound() throws {
    #expect(FileManager.default.isExecutableFile(atPath: try Products.executable("zkcli")))
    #expect(throws: TestKitError.self) { try Products.executable("no-such-product") }
  }
}
