import Foundation
import TestKit
import Testing

/// A Python with kazoo and what it needs for SASL.
enum SASLPython {
  private static let made = Task { () async throws -> String in
    let directory = try Scratch.directory("venv")
    let environment = ProcessInfo.processInfo.environment
    for (program, arguments) in [
      ("python3", ["-m", "venv", directory]),
      (
        "\(directory)/bin/pip",
        ["install", "--quiet", "--disable-pip-version-check", "kazoo==2.11.0", "pure-sasl==0.6.2", "kerberos==1.3.1"]
      ),
    ] {
      let run = try await CommandRun.run(program, arguments, environment: environment, timeLimit: .seconds(180))
      guard run.exitStatus == 0 else { throw TestKitError(.missing, "\(program): \(run.output)\(run.errorOutput)") }
    }
    return "\(directory)/bin/python"
  }

  /// The Python, or nil if it cannot be had; in CI that is a failure.
  static func shared() async -> String? {
    do {
      return try await made.value
    } catch {
      print("skipped, for kazoo cannot be installed: \(error)")
      if ProcessInfo.processInfo.environment["CI"] != nil { Issue.record("kazoo cannot be installed: \(error)") }
      return nil
    }
  }
}
