import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A process that ends a command if this one cannot, because it was killed, or is stopped for longer than the command
/// may run.
///
/// It is this program (`__guard`) in a separate session, so that no signal to our session reaches it. It is told of the
/// command and its deadline through a pipe; the end of the input means that this process has ended.
///
/// *Shape*: lines `child PID GROUP`, `until TIME GRACE`, `done`; times are in milliseconds of the clock that continues
/// while the machine sleeps.
///
/// *Thread*: any.
final class ChildWatchdog: Sendable {
  private let descriptor: Mutex<Int32>

  private init(descriptor: Int32) { self.descriptor = Mutex(descriptor) }

  deinit { close(descriptor.withLock(\.self)) }

  /// Starts the watchdog; nil if that fails, so that the command runs without one.
  static func start() -> ChildWatchdog? {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    defer { close(ends[0]) }
    var spawn = Spawn(.same, ["zkcli", WatchdogProcess.word])
    // Detached from the terminal and from our process group before it runs at all. Otherwise a signal that kills the
    // group would also kill the watchdog, and not the command.
    spawn.ownsSession = true
    // It must not keep our outputs open, or what we were given, because their readers wait for the end.
    spawn.passedOn = []
    spawn.fileActions = [.copy(ends[0], to: 0), .append(1, path: "/dev/null"), .append(2, path: "/dev/null")]
    let processID: ProcessID
    do throws(SystemError) {
      processID = try spawn.start()
    } catch {
      close(ends[1])
      return nil
    }
    // It ends soon after this process or the command, and must then be reaped.
    BlockingThread.start { Spawn.reap(processID) }
    return ChildWatchdog(descriptor: ends[1])
  }

  /// Sends the watchdog the process to end.
  func watch(_ child: ChildProcess) { send("child \(child.processID) \(child.ownsGroup ? 1 : 0)") }

  /// Sets the deadline of the command, and the time between SIGTERM and SIGKILL.
  func extend(to deadline: ContinuousClock.Instant, grace: Duration) {
    let end = BootClock.nowMilliseconds() + (deadline - .now).inMilliseconds
    send("until \(end) \(grace.inMilliseconds)")
  }

  /// Reports the end of the command.
  func childExited() { send("done") }

  private func send(_ line: String) {
    let bytes = [UInt8]((line + "\n").utf8)
    // Does not block if the watchdog has ended or does not read: SIGPIPE is ignored, and lines are short.
    descriptor.withLock { descriptor in _ = write(descriptor, bytes, bytes.count) }
  }
}

/// The watchdog itself.
///
/// *Thread*: the process's first.
struct WatchdogProcess {
  /// The argument that makes the program a watchdog.
  static let word = "__guard"

  private var child: (processID: pid_t, target: pid_t, started: String)?
  private var deadline: Int64?
  private var graceMilliseconds: Int64 = 1000
  private var input: [UInt8] = []

  /// Runs until the command has ended or was ended.
  static func run() -> Int32 {
    for number in [SIGINT, SIGTERM, SIGHUP, SIGPIPE] { signal(number, SIG_IGN) }
    var process = WatchdogProcess()
    while process.step() {}
    return 0
  }

  /// - Returns: false if the work is done.
  private mutating func step() -> Bool {
    let rest = deadline.map { max(0, $0 - BootClock.nowMilliseconds()) }
    guard waitForInput(milliseconds: rest) else {
      end()
      return false
    }
    guard let isDone = readLines() else {
      // The process that runs the command has ended without reporting the end of the command.
      end()
      return false
    }
    return !isDone
  }

  private func waitForInput(milliseconds: Int64?) -> Bool {
    var interest = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
    let limit = Int32(clamping: milliseconds ?? -1)
    while true {
      let count = poll(&interest, 1, limit)
      if count >= 0 || errno != EINTR { return count != 0 }
    }
  }

  /// - Returns: whether the command has ended; nil at the end of the input.
  private mutating func readLines() -> Bool? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = read(0, &buffer, buffer.count)
    guard count > 0 else { return count < 0 && errno == EINTR ? false : nil }
    input += buffer[..<count]
    while let end = input.firstIndex(of: UInt8(ascii: "\n")) {
      let words = String(decoding: input[..<end], as: UTF8.self).split(separator: " ")
      input.removeFirst(end + 1)
      switch (words.first, words.dropFirst().compactMap { Int64($0) }) {
      case ("child", let numbers) where numbers.count == 2:
        let processID = pid_t(numbers[0])
        child = (processID, numbers[1] == 1 ? -processID : processID, Self.startTime(of: processID))
      case ("until", let numbers) where numbers.count == 2:
        (deadline, graceMilliseconds) = (numbers[0], numbers[1])
      case ("done", _): return true
      default: break
      }
    }
    return false
  }

  /// Ends the command with SIGTERM, and with SIGKILL after the grace period.
  private func end() {
    guard let child, isAlive(child) else { return }
    kill(child.target, SIGTERM)
    // A stopped command would not handle SIGTERM.
    kill(child.target, SIGCONT)
    let limit = BootClock.nowMilliseconds() + graceMilliseconds
    while isAlive(child), BootClock.nowMilliseconds() < limit { poll(nil, 0, 10) }
    // The group may have members that outlive its leader.
    if child.target < 0 || isAlive(child) { kill(child.target, SIGKILL) }
  }

  /// Whether the process is still the same, because numbers are reused.
  private func isAlive(_ child: (processID: pid_t, target: pid_t, started: String)) -> Bool {
    kill(child.processID, 0) == 0 && Self.startTime(of: child.processID) == child.started
      && !Self.state(of: child.processID).hasPrefix("Z")
  }

  /// The start time of a process, in ticks since boot; empty without `/proc`.
  private static func startTime(of processID: pid_t) -> String {
    let fields = state(of: processID).split(separator: " ")
    return fields.count > 19 ? String(fields[19]) : ""
  }

  /// The fields after the name in the process's `/proc` entry, beginning with the state.
  private static func state(of processID: pid_t) -> String {
    guard let bytes = try? FileIO.read("/proc/\(processID)/stat") else { return "" }
    // The name is in parentheses and can contain parentheses itself.
    let text = String(decoding: bytes, as: UTF8.self)
    return text.lastIndex(of: ")").map { String(text[text.index($0, offsetBy: 2)...]) } ?? ""
  }
}
