import Platform

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension SecretReference {
  /// The maximum output of a command.
  private static let limitBytes = 64 << 10

  /// Reads the secret: the first line of the file or the output.
  ///
  /// - Returns: the secret, and a warning if others can read it.
  /// - Throws: exit code 12 if the file cannot be read or the command fails; a usage error for a variable that is not
  ///   set, and for an empty secret.
  func read(_ environment: ShellEnvironment) async throws(ShellError) -> (secret: [UInt8], warning: String?) {
    var warning: String?
    let bytes: [UInt8]
    let source: String
    switch self {
    case .file(let path):
      (bytes, warning) = try FileIO.readSecret(path)
      source = path
    case .variable(let name):
      guard let value = environment.value(name) else {
        throw .usage("the configuration file takes a password from $\(name), which is not set")
      }
      bytes = [UInt8](value.utf8)
      source = "$\(name)"
    case .command(let command):
      bytes = try await Self.output(of: command)
      source = "the output of \(Tokenizer.quote(command))"
    }
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    guard !line.isEmpty else { throw .usage("the password in \(source) is empty") }
    return (Array(line), warning)
  }

  /// The output of a command of `/bin/sh`.
  private static func output(of command: String) async throws(ShellError) -> [UInt8] {
    let file = try FileIO.unnamed([])
    defer { close(file) }
    var spawn = Spawn(.onPath("/bin/sh"), ["sh", "-c", command])
    spawn.resetsSignals = true
    spawn.fileActions = [.copy(file, to: 1)]
    let process: ProcessID
    do throws(SystemError) { process = try spawn.start() } catch {
      throw ShellError(.localInputOutput, "Password", "cannot run /bin/sh: \(error.text)")
    }
    var status: Int32 = 0
    // There is no time limit, because the command may ask the user for input; ^C ends it.
    while waitpid(process, &status, WNOHANG) == 0 {
      do {
        try await Task.sleep(for: .milliseconds(5))
      } catch {
        kill(process, SIGTERM)
        Spawn.reap(process)
        throw .cancelled(outcomeUnknown: false, path: nil)
      }
    }
    guard status == 0 else {
      let reason = status & 0x7f == 0 ? "exit code \(status >> 8 & 0xff)" : "signal \(status & 0x7f)"
      throw ShellError(.localInputOutput, "Password", "the command for the password failed with \(reason)")
    }
    lseek(file, 0, SEEK_SET)
    let bytes = try FileIO.read(file, name: "the output of the command for the password")
    guard bytes.count <= limitBytes else {
      throw ShellError(.overLimit, "Password", "the command for the password printed more than \(limitBytes) bytes")
    }
    return bytes
  }
}
