import Foundation
import Synchronization

/// A long-running process that dies with the test process, even when that crashes.
///
/// Swift Testing has no tear-down that runs after a crash, so each one is started by a shell that holds the other end
/// of a pipe of ours: when the pipe ends, for whatever reason, the shell kills the process. `PR_SET_PDEATHSIG` would
/// be shorter, but it fires when the *thread* that started the child ends, and ours are borrowed from a pool.
final class GuardedProcess: Sendable {
  let processID: Int32
  private let hasBeenPaused = Mutex(false)
  private let watchdog: RunningCommand

  /// Being the parent, the shell keeps the process id from being used again until it stopped listening.
  private static let script = """
    log=$1
    shift
    exec 3<&0
    "$@" </dev/null >>"$log" 2>&1 3<&- &
    process=$!
    echo "$process"
    { read -r never <&3; kill -KILL "$process"; } 2>/dev/null &
    reader=$!
    wait "$process"
    kill "$reader" 2>/dev/null
    """

  private init(processID: Int32, watchdog: RunningCommand) {
    self.processID = processID
    self.watchdog = watchdog
  }

  /// Starts `executable` with both outputs appended to the file `log`.
  ///
  /// - Throws: `TestKitError.systemCall` or `.ended` if the shell cannot be started; a process that fails at once is
  /// seen by `hasEnded`.
  static func start(
    _ executable: String, _ arguments: [String], environment: [String: String] = RunningCommand.cleanEnvironment,
    log: String
  ) async throws -> GuardedProcess {
    let watchdog = try RunningCommand(
      "/bin/sh", ["-c", script, "watchdog", log, executable] + arguments, environment: environment)
    guard let line = try await watchdog.nextLine(), let processID = Int32(line) else {
      throw TestKitError(.ended, "watchdog of \(executable)")
    }
    return GuardedProcess(processID: processID, watchdog: watchdog)
  }

  /// Whether the process is gone.
  var hasEnded: Bool { watchdog.ending != nil }

  /// Whether it was suspended, by `pause`: nothing that is asked of it is answered.
  var isPaused: Bool { hasBeenPaused.withLock { $0 } }

  /// Sends `signal` to the process, unless it is gone.
  func send(signal: Int32) {
    guard !hasEnded else { return }
    _ = Foundation.kill(processID, signal)
  }

  /// Suspends the process, and waits until all its threads have stopped.
  ///
  /// The signal alone is not enough: other threads continue for a moment, and may answer a request that is sent after
  /// it.
  ///
  /// - Throws: `TestKitError.timedOut`, also if the process is gone.
  func pause() async throws {
    hasBeenPaused.withLock { $0 = true }
    send(signal: SIGSTOP)
    try await eventually("stop of process \(processID)", every: .milliseconds(1)) {
      let tasks = "/proc/\(processID)/task"
      guard !hasEnded, let threads = try? FileManager.default.contentsOfDirectory(atPath: tasks) else { return false }
      return threads.allSatisfy { thread in
        // The state follows the name, which is in parentheses and may contain some. A thread without the file has ended
        // in the meantime.
        guard let text = try? String(contentsOfFile: "\(tasks)/\(thread)/stat", encoding: .utf8) else { return true }
        return text.split(separator: ")").last?.hasPrefix(" T") == true
      }
    }
  }

  /// Continues a paused process.
  func resume() {
    send(signal: SIGCONT)
    hasBeenPaused.withLock { $0 = false }
  }

  /// Asks the process to end, kills it if it has not after `patience`, and waits until it is gone.
  func terminate(patience: Duration = .seconds(30)) async throws {
    // A stopped process would not see the request.
    resume()
    send(signal: SIGTERM)
    do {
      try await watchdog.waitForEnd(within: patience)
    } catch let error as TestKitError where error.code == .timedOut {
      try await kill()
    }
  }

  /// Kills the process and waits until it is gone.
  func kill() async throws {
    send(signal: SIGKILL)
    try await watchdog.waitForEnd(within: .seconds(90))
  }
}
