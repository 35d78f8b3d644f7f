import Platform
import ZooKeeperSandbox

/// The action `zkcli server unit`, which prints a unit file for systemd.
///
/// *Source*: `systemd.service(5)`, `systemd.exec(5)`, `sysusers.d(5)`.
enum ServerUnit {
  /// The user as which distributions run Apache's server.
  private static let standardUser = "zookeeper"
  private static let standardDirectory = "/var/lib/zookeeper"

  /// Prints a unit file, or with `--sysusers` a line for `sysusers.d`.
  ///
  /// - Parameter file: the configuration, which need not exist yet.
  static func run(_ invocation: Invocation, _ file: String, _ voice: ServerVoice) throws(ShellError) -> ExitCode {
    let user = try invocation.value(.user).map { word throws(ShellError) in try name(word) } ?? standardUser
    let place = try Place(file)
    var answer = ServerAnswer(action: "unit", file: file)
    let text = invocation.flag(.sysusers) ? sysusers(user, place) : unit(user, file, place)
    answer.message = text
    try voice.say(text)
    try voice.finish(answer)
    return .success
  }

  /// The directories that the server needs.
  private struct Place {
    var data = standardDirectory
    var writable: [String] = [standardDirectory]

    /// Reads them from a configuration, if there is one.
    init(_ file: String) throws(ShellError) {
      guard file.hasPrefix("/") else {
        throw .usage("\(Tokenizer.quote(Word(file))) is not an absolute path, as a unit file needs it")
      }
      guard let bytes = try? FileIO.read(file) else { return }
      do throws(SandboxError) {
        let daemon = try ServerDaemon(configurationFile: file, bytes: bytes, readFile: { try? FileIO.read($0) })
        data = daemon.dataDirectory
        writable = daemon.writableDirectories
      } catch {
        throw ShellError(error)
      }
    }

    /// Whether a directory is in a home directory, which systemd must then not hide.
    var isInHome: Bool { writable.contains { $0.hasPrefix("/home/") || $0.hasPrefix("/root/") } }

    /// The name under /var/lib of the directory that systemd creates; nil if the directory is elsewhere.
    var stateDirectory: String? {
      guard data.hasPrefix("/var/lib/") else { return nil }
      let name = String(data.dropFirst("/var/lib/".count))
      return name.isEmpty || name.contains(" ") || name.split(separator: "/").contains("..") ? nil : name
    }
  }

  private static func unit(_ user: String, _ file: String, _ place: Place) -> String {
    let program = Executable.path ?? "/usr/bin/zkcli"
    let state = place.stateDirectory.map { "StateDirectory=\(specifiersEscaped($0))\nStateDirectoryMode=0750\n" } ?? ""
    // With "strict", every directory that is not listed is read-only; missing ones are ignored.
    let writable = place.writable.map { quoted("-" + $0) }.joined(separator: " ")
    return """
      [Unit]
      Description=ZooKeeper server
      Documentation=man:zkcli(1)
      Wants=network-online.target
      After=network-online.target

      [Service]
      Type=notify
      NotifyAccess=main
      User=\(user)
      Group=\(user)
      ExecStart=\(quoted(program)) server run \(quoted(file))
      ExecReload=/bin/kill -HUP $MAINPID
      Restart=on-failure
      RestartSec=2
      # Replaying a large log and finishing a large snapshot take long.
      TimeoutStartSec=10min
      TimeoutStopSec=5min
      # Longer than the installation of a leader's tree, during which the event loop does nothing else.
      WatchdogSec=60
      LimitNOFILE=65536
      UMask=0027
      \(state)ReadWritePaths=\(writable)
      ProtectSystem=strict
      ProtectHome=\(place.isInHome ? "no" : "yes")
      PrivateTmp=yes
      PrivateDevices=yes
      ProtectClock=yes
      ProtectControlGroups=yes
      ProtectHostname=yes
      ProtectKernelLogs=yes
      ProtectKernelModules=yes
      ProtectKernelTunables=yes
      NoNewPrivileges=yes
      CapabilityBoundingSet=
      AmbientCapabilities=
      LockPersonality=yes
      MemoryDenyWriteExecute=yes
      RemoveIPC=yes
      RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
      RestrictNamespaces=yes
      RestrictRealtime=yes
      RestrictSUIDSGID=yes
      SystemCallArchitectures=native
      SystemCallFilter=@system-service
      SystemCallErrorNumber=EPERM

      [Install]
      WantedBy=multi-user.target

      """
  }

  private static func sysusers(_ user: String, _ place: Place) -> String {
    "u \(user) - \"ZooKeeper server\" \(quoted(place.data))\n"
  }

  /// A user name that systemd accepts.
  private static func name(_ word: Word) throws(ShellError) -> String {
    let text = try ValueParser.text(word, of: "--user")
    let isName =
      !text.isEmpty && text.utf8.count <= 31 && text.first?.isNumber == false && text.first != "-"
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
    guard isName else {
      throw .usage("--user \(Tokenizer.quote(word)) is not the name of a user", hint: "for example zookeeper")
    }
    return text
  }

  /// An argument in the syntax of unit files.
  private static func quoted(_ text: String) -> String {
    let escaped = specifiersEscaped(text)
    let isPlain = escaped.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7f && !"\"'\\$;".utf8.contains($0) }
    if isPlain { return escaped }
    var result = "\""
    for character in escaped.unicodeScalars {
      switch character {
      case "\"", "\\": result += "\\\(character)"
      case "$": result += "$$"
      case "\n": result += "\\n"
      case "\t": result += "\\t"
      default: result.unicodeScalars.append(character)
      }
    }
    return result + "\""
  }

  /// The text with `%` doubled, which begins a specifier in unit files.
  private static func specifiersEscaped(_ text: String) -> String {
    text.split(separator: "%", omittingEmptySubsequences: false).joined(separator: "%%")
  }
}
