import Foundation
import TestKit
import Testing

/// The shell against a real sandbox, as transcripts: each file in `Transcripts` has commands, each behind `> `, and
/// below each what it prints.
///
/// A line from stderr begins with `! `. What differs from run to run is replaced by a name in capitals. A command that
/// goes on in the next line has `> ` there too.
@Suite(.timeLimit(.minutes(10))) struct TranscriptTests {
  private static let directory = Repository.url("Tests/ShellTests/Transcripts")

  static let files = (try? FileManager.default.contentsOfDirectory(atPath: directory.path))?.sorted() ?? []

  @Test func thereAreTranscripts() { #expect(Self.files.count > 5) }

  /// With ZKCLI_RECORD=1 this writes the transcripts anew, and fails, so that no run that records passes for a test.
  @Test(arguments: files) func theShellAnswersAsRecorded(file: String) async throws {
    let url = Self.directory.appendingPathComponent(file)
    let recorded = try String(contentsOf: url, encoding: .utf8)
    let entries = Self.entries(of: recorded)
    let found = Self.text(entries, answers: try await Self.answers(to: entries.map(\.command)))
    guard Environment["ZKCLI_RECORD"] == "1" else {
      #expect(found == recorded, "if this is meant, record it with ZKCLI_RECORD=1 and review the change")
      return
    }
    try found.write(to: url, atomically: true, encoding: .utf8)
    Issue.record("recorded \(file)")
  }

  /// A command with the comments above it.
  private struct Entry {
    var comments: [String] = []
    var command = ""
  }

  private static func entries(of text: String) -> [Entry] {
    var entries: [Entry] = []
    var next = Entry()
    var isInCommand = false
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      let goesOn = isInCommand && Self.isOpen(entries[entries.count - 1].command)
      isInCommand = line.hasPrefix("> ")
      if isInCommand, goesOn {
        entries[entries.count - 1].command += "\n" + line.dropFirst(2)
      } else if isInCommand {
        next.command = String(line.dropFirst(2))
        entries.append(next)
        next = Entry()
      } else if line.hasPrefix("#") {
        next.comments.append(String(line))
      }
    }
    return entries
  }

  private static func isOpen(_ command: String) -> Bool {
    command.filter { $0 == "'" }.count % 2 == 1 && !command.contains("\\'")
  }

  private static func text(_ entries: [Entry], answers: [String]) -> String {
    zip(entries, answers).map { entry, answer in
      let command = entry.command.split(separator: "\n", omittingEmptySubsequences: false).map { "> \($0)\n" }
      return entry.comments.map { $0 + "\n" }.joined() + command.joined() + answer
    }.joined()
  }

  /// Runs all commands as one script, with a mark between each two.
  ///
  /// A mark is an error, for which stdout is written first, so that both streams can be read in order from one pipe.
  private static func answers(to commands: [String]) async throws -> [String] {
    let script = commands.enumerated().map { "\($1)\nhelp @@mark\($0)\n" }.joined()
    var environment = RunningCommand.cleanEnvironment
    environment["ZKCLI"] = try Products.executable("zkcli")
    let run = try await CommandRun.run(
      "/bin/sh", ["-c", "exec \"$ZKCLI\" --local --keep-going 2>&1"], environment: environment,
      input: Array(script.utf8))
    var answers = [""]
    for line in run.output.split(separator: "\n", omittingEmptySubsequences: false).dropFirst() {
      if line.contains("no help on @@mark\(answers.count - 1)") {
        // Data without a line end stands before the mark.
        answers.append("")
      } else {
        answers[answers.count - 1] += shown(String(line)) + "\n"
      }
    }
    try #require(answers.count == commands.count + 1, "\(run.output)")
    return answers.dropLast()
  }

  /// A line with `! ` for the place in the script, and names for what differs from run to run.
  private static func shown(_ line: String) -> String {
    var line = line.replacing(/^(stdin:\d+|zkcli):/, with: "!").replacing(/"line":\d+/, with: "\"line\":LINE")
    line = line.replacing(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/, with: "TIME")
    line = line.replacing(/127\.0\.0\.1:\d+/, with: "ADDRESS")
    // What a lock says of its holder: the names of the machine and of the process.
    line = line.replacing(/\ [\w.-]+:\d+$/, with: " HOST:PROCESS")
    line = line.replacing(/_c_[0-9a-f-]{36}-/, with: "_c_UUID-")
    return line.replacing(/0x[0-9a-f]{12,16}/, with: "SESSION")
  }
}
