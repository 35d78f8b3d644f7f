import CSpawn
import Foundation

/// Starts a process that inherits nothing but what is given. This is the only caller of `posix_spawn`.
///
/// The child gets its own session, so that an interrupt at the keyboard reaches the tests and not it, and so that it
/// cannot open a controlling terminal; default signal actions, an empty mask, and no descriptor besides the three.
///
/// - Throws: `TestKitError.systemCall` if the executable cannot be started.
func spawnProcess(
  _ executable: String, _ arguments: [String], environment: [String: String],
  standardInput: Descriptor, standardOutput: Descriptor, standardError: Descriptor
) throws(TestKitError) -> Int32 {
  _ = ignoreBrokenPipes
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  for (target, descriptor) in [standardInput, standardOutput, standardError].enumerated() {
    posix_spawn_file_actions_adddup2(&actions, descriptor.raw, Int32(target))
  }
  // In the child, because another thread may open a socket at any time.
  let isUnsupported = spawn_add_close_from(&actions, 3)
  guard isUnsupported == 0 else { throw .systemCall("closefrom", number: isUnsupported) }

  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  sigfillset(&signals)
  posix_spawnattr_setsigdefault(&attributes, &signals)
  sigemptyset(&signals)
  posix_spawnattr_setsigmask(&attributes, &signals)
  // Glibc's module hides this GNU extension's name.
  let setSessionFlag = 0x80
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | Int32(setSessionFlag)))

  let argumentVector = ([executable] + arguments).map { strdup($0) } + [nil]
  let environmentVector = environment.sorted { $0.key < $1.key }.map { strdup("\($0.key)=\($0.value)") } + [nil]
  defer { (argumentVector + environmentVector).forEach { free($0) } }
  var processID: pid_t = 0
  let failure = posix_spawnp(&processID, executable, &actions, &attributes, argumentVector, environmentVector)
  guard failure == 0 else { throw .systemCall("start of \(executable)", number: failure) }
  return processID
}
