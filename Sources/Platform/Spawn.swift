internal import CSpawn

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The settings of a new process, as far as they differ from those of this one.
package struct Spawn {
  /// The program to run.
  package enum Program: Hashable, Sendable {
    /// A command, searched for on the `PATH` unless its name contains a slash.
    case onPath(String)
    /// This program again, even if its file was renamed or removed.
    case same
  }

  /// Actions on descriptors of the new process before it runs.
  package enum FileAction: Hashable, Sendable {
    /// Makes `target` a copy of `source`. A descriptor copied to its own number is not closed by `exec`.
    case copy(_ source: Int32, to: Int32)
    /// Opens a file for reading.
    case read(Int32, path: String)
    /// Opens a file for appending, and creates it if it does not exist.
    case append(Int32, path: String)

    /// The descriptor that the new process gets by it.
    var target: Int32 {
      switch self {
      case .copy(_, let target): target
      case .read(let descriptor, _), .append(let descriptor, _): descriptor
      }
    }
  }

  package var program: Program
  /// The arguments; the first is the name of the process.
  package var arguments: [String]
  package var fileActions: [FileAction] = []
  /// The descriptors that it gets besides the standard ones and those of `fileActions`. Those that this process has
  /// opened itself, above all its connections, are closed: it would keep them open, and could write to them.
  package var passedOn = InheritedDescriptors.all
  /// Variables that are added to ours or replace them.
  package var variables: [String: String] = [:]
  /// Whether the signal mask and ignored signals are those with which this process was started, and not the present
  /// ones.
  package var resetsSignals = false
  /// Whether it leads its own process group.
  package var ownsGroup = false
  /// Whether it leads its own session, detached from the terminal.
  package var ownsSession = false

  package init(_ program: Program, _ arguments: [String]) {
    self.program = program
    self.arguments = arguments
  }

  /// Starts the process.
  ///
  /// - Returns: its process id.
  /// - Throws: the operating system's reason.
  package func start() throws(SystemError) -> ProcessID {
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    set(&attributes)
    var files = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&files)
    defer { posix_spawn_file_actions_destroy(&files) }
    for action in fileActions { Self.add(action, to: &files) }
    closeOthers(&files)
    let arguments = arguments.map { strdup($0) } + [nil]
    let environment = environment.map { strdup($0) } + [nil]
    defer { for pointer in arguments + environment { free(pointer) } }
    var process = ProcessID()
    let errorNumber =
      switch program {
      case .onPath(let name): posix_spawnp(&process, name, &files, &attributes, arguments, environment)
      case .same: posix_spawn(&process, "/proc/self/exe", &files, &attributes, arguments, environment)
      }
    guard errorNumber == 0 else { throw SystemError(errorNumber) }
    return process
  }

  /// Up to this descriptor, each one that is not passed on is closed by a separate action.
  private static let largestClosedAlone: Int32 = 1024

  /// Closes what is not passed on, in the new process: another thread may open a socket at any time, and neither the
  /// sockets nor the poll descriptors of SwiftNIO are closed by `exec`.
  private func closeOthers(_ files: inout posix_spawn_file_actions_t) {
    let kept = passedOn + fileActions.map(\.target)
    // Elsewhere a process does not start if it cannot close a descriptor, because it is not open.
    #if os(Linux)
      let last = max(2, kept.max() ?? 2)
      for descriptor in 3..<max(3, min(last, Self.largestClosedAlone)) where !kept.contains(descriptor) {
        posix_spawn_file_actions_addclose(&files, descriptor)
      }
      if spawn_add_close_from(&files, last + 1) == 0, last <= Self.largestClosedAlone { return }
    #endif
    // What cannot be closed there is at least marked here, if it is open already.
    for descriptor in InheritedDescriptors.open where !kept.contains(descriptor) {
      _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
  }

  private func set(_ attributes: inout posix_spawnattr_t) {
    var flags: Int32 = 0
    if resetsSignals {
      var mask = SignalSet().mask
      posix_spawnattr_setsigmask(&attributes, &mask)
      var defaults = SignalSet([SIGPIPE]).mask
      posix_spawnattr_setsigdefault(&attributes, &defaults)
      flags |= Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)
    }
    if ownsGroup {
      posix_spawnattr_setpgroup(&attributes, 0)
      flags |= Int32(POSIX_SPAWN_SETPGROUP)
    }
    if ownsSession { flags |= Self.setSession }
    posix_spawnattr_setflags(&attributes, Int16(flags))
  }

  /// `POSIX_SPAWN_SETSID`, which glibc's headers hide from Swift.
  #if os(Linux)
    private static let setSession: Int32 = 0x80
  #else
    private static let setSession = Int32(POSIX_SPAWN_SETSID)
  #endif

  private static func add(_ action: FileAction, to files: inout posix_spawn_file_actions_t) {
    switch action {
    case .copy(let source, let target): posix_spawn_file_actions_adddup2(&files, source, target)
    case .read(let descriptor, let path): posix_spawn_file_actions_addopen(&files, descriptor, path, O_RDONLY, 0)
    case .append(let descriptor, let path):
      posix_spawn_file_actions_addopen(&files, descriptor, path, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    }
  }

  private var environment: [String] {
    var result: [String] = []
    var pointer = environ
    while let entry = pointer.pointee {
      let text = String(cString: entry)
      let name = String(text.prefix { $0 != "=" })
      if variables[name] == nil { result.append(text) }
      pointer += 1
    }
    return result + variables.map { "\($0.key)=\($0.value)" }.sorted()
  }
}

extension Spawn {
  /// Waits for the end of a child process and reaps it.
  package static func reap(_ process: ProcessID) {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
  }
}
