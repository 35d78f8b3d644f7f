import Foundation
import Synchronization

/// A started process: its input can be written, its output read as it comes, and signals sent.
///
/// Threads collect both outputs, so that a child never blocks on a full pipe whatever the test reads. A command that is
/// no longer referenced is killed together with all processes that it has started.
///
/// *Thread*: any.
public final class RunningCommand: Sendable {
  /// How a process ended.
  public enum Ending: Sendable, Equatable {
    case exited(Int32)
    case signalled(Int32)
  }

  /// Which of the two outputs to read.
  public enum Stream: Sendable {
    case output
    case error
  }

  /// The environment of a command unless it says otherwise: nothing of the caller's, so that no test depends on it.
  public static let cleanEnvironment = [
    "HOME": "/nonexistent", "LANG": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin", "TERM": "dumb",
    // After a crash, the backtracer would keep the pipes open for a long time.
    "SWIFT_BACKTRACE": "enable=no",
  ]

  public let processID: Int32
  private let core: CommandCore

  /// Starts `executable` (a path, or a name to look for in PATH).
  ///
  /// With `input` the child reads these bytes and then the end of its input; without, the input stays open for
  /// `write` until `closeInput`.
  ///
  /// - Throws: `TestKitError.systemCall` if it cannot be started.
  public init(
    _ executable: String, _ arguments: [String] = [],
    environment: [String: String] = RunningCommand.cleanEnvironment, input: [UInt8]? = nil
  ) throws(TestKitError) {
    let (childInput, inputEnd) = try Descriptor.pipe()
    let (outputEnd, childOutput) = try Descriptor.pipe()
    let (errorEnd, childError) = try Descriptor.pipe()
    processID = try spawnProcess(
      executable, arguments, environment: environment,
      standardInput: childInput, standardOutput: childOutput, standardError: childError)
    core = CommandCore(processID: processID, input: input == nil ? inputEnd : nil)
    core.collect(.output, from: outputEnd)
    core.collect(.error, from: errorEnd)
    core.reap()
    if let input {
      Thread.detachNewThread {
        // A child that ends without reading all of its input is no failure of the test.
        try? inputEnd.write(input)
      }
    }
  }

  deinit { core.killAll() }

  /// How the process ended; nil while it runs.
  public var ending: Ending? { core.state.withLock { $0.ending } }

  /// From the start to the end of the process, or to now.
  public var elapsed: Duration { core.state.withLock { ($0.end ?? .now) - core.start } }

  /// All bytes that came out of `stream` so far.
  public func bytes(of stream: Stream) -> [UInt8] {
    core.state.withLock { stream == .output ? $0.output.bytes : $0.error.bytes }
  }

  /// Writes `text` to the child's input; waits while the pipe is full.
  ///
  /// - Throws: `TestKitError.ended` after `closeInput`, `.systemCall` if the child no longer reads.
  public func write(_ text: String) throws(TestKitError) {
    guard let descriptor = core.state.withLock({ $0.input }) else { throw TestKitError(.ended, "input is closed") }
    try descriptor.write(Array(text.utf8))
  }

  /// Ends the child's input.
  public func closeInput() { core.state.withLock { $0.input = nil } }

  /// Sends `signal` to the process, and only to it; nothing happens once it ended.
  public func send(signal: Int32) { core.send(signal: signal, toGroup: false) }

  /// Kills the process and whatever it started in its session.
  public func killAll() { core.killAll() }

  /// Waits until the process ended and both outputs are complete.
  ///
  /// - Throws: `TestKitError.timedOut`; the process is left running.
  @discardableResult
  public func waitForEnd(within limit: Duration) async throws -> Ending {
    try await eventually("end of process \(processID)", within: limit, every: .milliseconds(2)) {
      core.state.withLock { $0.output.isComplete && $0.error.isComplete ? $0.ending : nil }
    }
  }

  /// The next line of `stream`, without its line feed; nil at the end of the output.
  ///
  /// - Throws: `TestKitError.timedOut` if none is complete in time.
  public func nextLine(of stream: Stream = .output, within limit: Duration = .seconds(10)) async throws -> String? {
    // Two optionals: "no line yet" outside, "no line ever again" inside.
    try await eventually("a line from process \(processID)", within: limit, every: .milliseconds(2)) { () -> String?? in
      core.state.withLock { stream == .output ? $0.output.takeLine() : $0.error.takeLine() }
    }
  }
}

/// The state that the threads of a command share with its handle. It is separate, so that they do not keep the handle
/// alive.
final class CommandCore: Sendable {
  /// The output of one stream so far, and how much of it was taken as lines.
  struct Capture {
    var bytes: [UInt8] = []
    var takenCount = 0
    var isComplete = false

    /// The next complete line; `.some(nil)` at the end, nil if there is none yet.
    mutating func takeLine() -> String?? {
      let rest = bytes[takenCount...]
      if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
        takenCount = end + 1
        return String(decoding: rest[..<end], as: UTF8.self)
      }
      guard isComplete else { return nil }
      takenCount = bytes.count
      return .some(rest.isEmpty ? nil : String(decoding: rest, as: UTF8.self))
    }
  }

  /// Everything that changes while the command runs.
  struct State {
    var input: Descriptor?
    var output = Capture()
    var error = Capture()
    var ending: RunningCommand.Ending?
    var end: ContinuousClock.Instant?
  }

  let processID: Int32
  let start = ContinuousClock.now
  let state: Mutex<State>

  /// The record of the process `processID`, just started.
  init(processID: Int32, input: Descriptor?) {
    self.processID = processID
    state = Mutex(State(input: input))
  }

  /// Collects all that comes out of `descriptor`, on a thread.
  func collect(_ stream: RunningCommand.Stream, from descriptor: Descriptor) {
    let field: any WritableKeyPath<State, Capture> & Sendable = stream == .output ? \.output : \.error
    Thread.detachNewThread { [self] in
      while let bytes = try? descriptor.read(), !bytes.isEmpty {
        state.withLock { $0[keyPath: field].bytes += bytes }
      }
      state.withLock { $0[keyPath: field].isComplete = true }
    }
  }

  /// Waits for the end of the process, on a thread.
  ///
  /// It first waits without reaping, then reaps under the lock, so that `send` can never reach another process that was
  /// given the same id.
  func reap() {
    Thread.detachNewThread { [self] in
      var information = siginfo_t()
      while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
      let end = ContinuousClock.now
      state.withLock { state in
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0, errno == EINTR {}
        let signal = status & 0x7f
        state.ending = signal == 0 ? .exited((status >> 8) & 0xff) : .signalled(signal)
        state.end = end
        state.input = nil
      }
    }
  }

  /// Sends `signal` to the process, or to its whole group, unless it was reaped.
  func send(signal: Int32, toGroup: Bool) {
    state.withLock { state in
      guard state.ending == nil else { return }
      _ = kill(toGroup ? -processID : processID, signal)
    }
  }

  /// Kills the process and its group.
  func killAll() { send(signal: SIGKILL, toGroup: true) }
}
