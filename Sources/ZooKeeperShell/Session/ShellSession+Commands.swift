import ZooKeeperClient
import ZooKeeperProtocol

/// The commands that concern the shell itself.
extension ShellSession {
  /// Runs one of them.
  func perform(
    _ command: ShellCommand, _ invocation: Invocation, _ settings: ShellSettings
  ) async throws -> Outcome {
    switch command {
    case .acl: return try await runACL(invocation, settings)
    case .pwd: try write(.text(directory), settings)
    case .cd: try await changeDirectory(invocation, settings)
    case .help:
      let width = environment.helpWidth
      let text = try invocation.argument(0).map { topic throws(ShellError) in try Help.text(on: topic, width: width) }
      try write(.text(text ?? Help.overview(width: width)), settings)
    case .version: try write(.text(settings.dialect.versionText), settings)
    case .quit:
      guard let word = invocation.argument(0) else { return Outcome(exitCode: lastExitCode, leaves: true) }
      let code = try ValueParser.integer(word, of: "code", in: 0...255)
      return Outcome(exitCode: ExitCode(rawValue: Int32(code)), leaves: true, isCodeChosen: true)
    case .history: try write(.history(settings.dialect.listed(history)), settings)
    case .redo: return try await redo(invocation)
    case .connect: try await connect(invocation)
    case .use: try await use(invocation)
    case .time: return try await time(invocation, settings)
    case .repeat: return try await `repeat`(invocation)
    case .clusters: try listClusters(settings)
    case .close:
      await close()
      events.follow(.init())
    case .printwatches: try switchWatches(invocation, settings)
    case .addauth: try await addIdentity(invocation, settings)
    case .local: try await runLocal(invocation, settings)
    }
    return Outcome(exitCode: .success)
  }

  private func changeDirectory(_ invocation: Invocation, _ settings: ShellSettings) async throws {
    guard let word = invocation.argument(0) else {
      previousDirectory = directory
      directory = "/"
      return
    }
    let path = word.text == "-" ? previousDirectory : try ValueParser.path(word, in: directory)
    // Checked now, so that a mistake is reported by this command and not by the next one.
    let client = try await connectedClient().withTimeLimit(settings.timeLimit)
    guard try await client.exists(path) != nil else { throw ZooKeeperError(.server(.noNode), path: path) }
    previousDirectory = directory
    directory = path
    if word.text == "-" { try write(.text(path), settings) }
  }

  private func redo(_ invocation: Invocation) async throws -> Outcome {
    guard let word = invocation.argument(0) else { return Outcome(exitCode: .success) }
    let number = try ValueParser.integer(word, of: "number", in: 0...Int64(Int32.max))
    guard let entry = history.last(where: { $0.number == Int(number) }) else {
      throw ShellError.usage("there is no line \(number) in the history", hint: "history lists the lines").because(
        .noSuchLine)
    }
    if entry.line.split(separator: " ").first?.lowercased() == "redo" {
      throw ShellError.usage("line \(number) is a redo itself").because(.redoOfRedo)
    }
    // The line is shown before it runs, so that the user knows what runs.
    if settings.dialect.showsRepeatedLine { try output.write(Rendered(stderr: [UInt8]("\(entry.line)\n".utf8))) }
    return await run(line: [UInt8](entry.line.utf8)) ?? Outcome(exitCode: .usage)
  }

  private func connect(_ invocation: Invocation) async throws {
    var next = settings
    if let word = invocation.argument(0) {
      let text = try ValueParser.text(word, of: "server")
      next.connectString = try ShellSettings.connectString(text, from: "server")
      // Unless the address begins with zk://, an encrypted session is replaced by an encrypted one.
      next.tls.isWanted = next.connectString.requiresTLS || next.tls.isWanted && !text.hasPrefix("zk://")
      next.connectString.requiresTLS = next.tls.isWanted
      // Secrets of one ensemble must not be sent to another.
      next.identities = []
      if next.cluster != nil { next.sasl = nil }
      next.cluster = nil
      next.clusterMistake = nil
    }
    try await enter(next, as: invocation.value(.label))
  }

  private func switchWatches(_ invocation: Invocation, _ settings: ShellSettings) throws {
    guard let word = invocation.argument(0) else {
      return try write(.setting(name: "printwatches", value: events.printsWatches ? "on" : "off"), settings)
    }
    events.printsWatches = try settings.dialect.isOn(word)
  }

  private func addIdentity(_ invocation: Invocation, _ settings: ShellSettings) async throws {
    let scheme = try ValueParser.text(invocation.arguments[0], of: "scheme")
    var secret = invocation.argument(1)?.bytes ?? []
    let isWhole = !secret.isEmpty && (scheme != "digest" || secret.contains(UInt8(ascii: ":")))
    if let file = invocation.value(.passwordFile) {
      guard !secret.isEmpty, !isWhole else {
        throw ShellError.usage(
          "--password-file needs the user without a password", hint: "write addauth digest USER --password-file FILE")
      }
      secret += try [UInt8(ascii: ":")] + password(in: file, settings)
    } else if !isWhole, settings.dialect.mindsSecrets {
      secret = try await self.secret(of: identity(scheme, secret))
    }
    if isWhole, let warning = scriptExposure {
      scriptExposure = nil
      try write(.warning(warning), settings)
    }
    let client = try await connectedClient().withTimeLimit(settings.timeLimit)
    try await client.addAuth(scheme: scheme, auth: secret)
    // For the next session, if this one expires.
    self.settings.identities.append(.init(scheme: scheme, secret: secret))
  }

  /// An identity without its secret.
  private func identity(_ scheme: String, _ user: [UInt8]) -> ShellSettings.Identity {
    ShellSettings.Identity(scheme: scheme, secret: nil, user: String(decoding: user, as: UTF8.self))
  }

  /// The password in the file that `--password-file` names.
  func passwordOfFile(_ invocation: Invocation, _ settings: ShellSettings) throws -> [UInt8] {
    guard let file = invocation.value(.passwordFile) else { return [] }
    return try password(in: file, settings)
  }

  /// The first line of a password file.
  private func password(in word: Word, _ settings: ShellSettings) throws -> [UInt8] {
    let file = try ValueParser.text(word, of: "--password-file")
    let (bytes, warning) = try FileIO.readSecret(file)
    if let warning { try write(.warning(warning), settings) }
    let lines = try TextLines.split(bytes, name: file)
    guard let password = lines.first, !password.isEmpty else {
      throw ShellError.usage("\(file) has no password in its first line")
    }
    return [UInt8](password)
  }
}
