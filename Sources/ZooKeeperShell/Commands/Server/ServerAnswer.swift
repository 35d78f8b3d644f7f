import JSONFormat

/// The result of an action of `server`, for programs; people see messages while it runs.
package struct ServerAnswer: Hashable, Sendable {
  /// Something wrong with a configuration.
  package struct Fault: Hashable, Sendable {
    /// nil if the fault is not on a single line.
    package var line: Int?
    package var message: String

    package init(line: Int?, message: String) {
      self.line = line
      self.message = message
    }
  }

  /// `start`, `stop`, `status`, `check` and so on.
  package var action: String
  /// The configuration.
  package var file: String
  /// One of `started`, `failed`, `already running`, `stopped`, `not running`, `running`, `unknown`.
  package var state: String?
  /// The process of the server in the background, if one is known.
  package var process: Int?
  /// Where clients connect.
  package var address: String?
  /// `standalone`, `leader`, `follower`, `observer`; nil if the server does not report it.
  package var mode: String?
  /// Further information.
  package var message: String?
  /// The faults of the configuration; nil if it was not checked.
  package var faults: [Fault]?
  package var warnings: [String]?
  /// What the author of a configuration without faults may not have meant.
  package var notes: [String]?
  /// The changes of a repair, one line for each; nil if nothing needed a repair.
  package var repairs: [String]?
  /// The findings of an upgrade check; nil for other actions.
  package var findings: [Finding]?

  /// A finding of an upgrade check: a `fact`, a `change` or an `obstacle`.
  package struct Finding: Hashable, Sendable {
    package var weight: String
    package var text: String

    package init(weight: String, text: String) {
      self.weight = weight
      self.text = text
    }
  }

  package init(action: String, file: String) {
    self.action = action
    self.file = file
  }

  /// Splits the text of all faults of a file, each `FILE:LINE: message` on a line.
  static func faults(in text: String, of file: String) -> [Fault] {
    text.split(separator: "\n").map { line in
      guard line.hasPrefix("\(file):") else { return Fault(line: nil, message: String(line)) }
      let rest = line.dropFirst(file.count + 1)
      let number = Int(rest.prefix { $0 != ":" })
      let message = number == nil ? rest : rest.drop { $0 != ":" }.dropFirst()
      return Fault(line: number, message: String(message.drop { $0 == " " }))
    }
  }
}

/// Actions that answer with a text and do not concern a process.
private let wordsOnly: Set<String> = ["unit", "print-cmd", "version"]

extension JSON {
  /// The JSON document for an action, without fields that do not apply to it.
  static func of(_ answer: ServerAnswer) -> JSON {
    var members: [(key: String, value: JSON)] = [("action", .string(answer.action)), ("file", .string(answer.file))]
    if let state = answer.state { members.append(("state", .string(state))) }
    if answer.action == "status" {
      members += [("address", .optional(answer.address)), ("mode", .optional(answer.mode))]
    }
    if let findings = answer.findings {
      members.append(
        (
          "findings",
          .array(findings.map { .object([("weight", .string($0.weight)), ("text", .string($0.text))]) })
        ))
    }
    if answer.faults == nil, answer.repairs == nil, answer.findings == nil, !wordsOnly.contains(answer.action) {
      members.append(("process", answer.process.map { .number($0) } ?? .null))
    }
    if let faults = answer.faults {
      members.append(
        (
          "faults",
          .array(
            faults.map { fault in
              .object([("line", fault.line.map { .number($0) } ?? .null), ("message", .string(fault.message))])
            })
        ))
    }
    if let warnings = answer.warnings { members.append(("warnings", .array(warnings.map(JSON.string)))) }
    if let notes = answer.notes { members.append(("notes", .array(notes.map(JSON.string)))) }
    if let repairs = answer.repairs { members.append(("repairs", .array(repairs.map(JSON.string)))) }
    if let message = answer.message { members.append(("message", .string(message))) }
    return .object(members)
  }
}
