import Foundation
import TestKit
import Testing

/// One line, valid both for `/bin/sh` behind `zkcli` and in a script, and what must come of it; `~` stands for a
/// path of the scenario's own.
struct Step: Sendable {
  let line: String
  var status: Int32 = 0
  var output = ""
  /// A part of what stderr says; empty wants it empty.
  var error = ""
  /// In a script, where it is another: data end with a line end there.
  var scriptOutput: String?

  init(_ line: String, _ output: String = "", inScript scriptOutput: String? = nil) {
    self.line = line
    self.output = output
    self.scriptOutput = scriptOutput
  }

  init(_ line: String, fails status: Int32, _ error: String) {
    self.line = line
    self.status = status
    self.error = error
  }

  /// The step in a scenario whose path is `path`.
  func at(_ path: String) -> Step {
    var step = Step(line.replacing("~", with: path))
    step.status = status
    step.output = output.replacing("~", with: path)
    step.error = error.replacing("~", with: path)
    step.scriptOutput = scriptOutput?.replacing("~", with: path)
    return step
  }
}

/// Steps in order, run twice: each as a process of its own, and all as one script.
struct Scenario: Sendable, CustomTestStringConvertible {
  let name: String
  let steps: [Step]

  var testDescription: String { name }

  init(_ name: String, _ steps: Step...) {
    self.name = name
    self.steps = steps
  }

  /// Runs every step as a process of its own.
  func runOneByOne(_ zkcli: Zkcli) async throws {
    let path = uniquePath("single")
    for step in steps.map({ $0.at(path) }) {
      let run = try await zkcli.shell("exec zkcli \(step.line)")
      expect(run, status: step.status, output: step.output, error: step.error, "\(step.line)")
    }
  }

  /// Runs all steps as one script that keeps going.
  func runAsScript(_ zkcli: Zkcli) async throws {
    let steps = steps.map { [path = uniquePath("script")] in $0.at(path) }
    let file = try Scratch.directory("script") + "/steps.zk"
    try Scratch.write(steps.map { $0.line + "\n" }.joined(), to: file)
    let run = try await zkcli("-k", "-f", file)
    let wanted = steps.map { step in
      step.scriptOutput ?? (step.output.isEmpty || step.output.hasSuffix("\n") ? step.output : step.output + "\n")
    }
    #expect(run.output == wanted.joined(), "\(run.errorOutput)")
    #expect(run.exitStatus == steps.first { $0.status != 0 }?.status ?? 0)
    for (index, step) in steps.enumerated() where !step.error.isEmpty {
      let place = "\(file):\(index + 1):"
      let said = run.errorOutput.split(separator: "\n").filter { $0.hasPrefix(place) }.joined(separator: "\n")
      #expect(said.contains(step.error) || run.errorOutput.contains(step.error), "\(step.line)")
      if step.status > 1 { #expect(!said.isEmpty, "\(step.line)") }
    }
  }
}
