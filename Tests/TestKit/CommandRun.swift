import Foundation

/// A command that ran to its end: what it wrote, how it ended, how long it took.
public struct CommandRun: Sendable {
  public let standardOutput: [UInt8]
  public let standardError: [UInt8]
  public let ending: RunningCommand.Ending
  /// Whether it was killed because the time limit had passed.
  public let wasOverTime: Bool
  public let elapsed: Duration

  /// The standard output as text.
  public var output: String { String(decoding: standardOutput, as: UTF8.self) }

  /// The standard error as text.
  public var errorOutput: String { String(decoding: standardError, as: UTF8.self) }

  /// The exit status; nil if a signal ended it.
  public var exitStatus: Int32? {
    if case .exited(let status) = ending { status } else { nil }
  }

  /// Runs `executable` with `input` as its whole standard input, and kills it after `timeLimit`.
  ///
  /// - Parameter rest: waits for something, and returns the rest of the input; nil if `input` is all.
  /// - Throws: `TestKitError.systemCall` if it cannot be started, `.timedOut` if it left a process that keeps its
  ///   outputs open.
  public static func run(
    _ executable: String, _ arguments: [String] = [],
    environment: [String: String] = RunningCommand.cleanEnvironment, input: [UInt8] = [],
    timeLimit: Duration = .seconds(120), rest: ((RunningCommand) async -> [UInt8])? = nil
  ) async throws -> CommandRun {
    let command: RunningCommand
    if let rest {
      command = try RunningCommand(executable, arguments, environment: environment)
      // A program that has ended reads nothing; how it ended is what counts.
      try? command.write(String(decoding: input, as: UTF8.self))
      try? command.write(String(decoding: await rest(command), as: UTF8.self))
      command.closeInput()
    } else {
      command = try RunningCommand(executable, arguments, environment: environment, input: input)
    }
    var wasOverTime = false
    let ending: RunningCommand.Ending
    do {
      ending = try await command.waitForEnd(within: timeLimit)
    } catch let error as TestKitError where error.code == .timedOut {
      wasOverTime = true
      command.killAll()
      ending = try await command.waitForEnd(within: .seconds(90))
    }
    return CommandRun(
      standardOutput: command.bytes(of: .output), standardError: command.bytes(of: .error), ending: ending,
      wasOverTime: wasOverTime, elapsed: command.elapsed)
  }
}
