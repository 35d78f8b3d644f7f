import TransportSecurity
import TxnLog
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol
import ZooKeeperSandbox

/// snapshot restore.
extension CommandContext {
  /// Replaces the state of a server by a snapshot.
  func restoreSnapshot() async throws -> ExitCode {
    try cluster?.requireReading(by: invocation, writes: true)
    let source = try ValueParser.text(invocation.arguments[1], of: "file")
    let file = try snapshotFile(source)
    defer { file.abandon() }
    if let word = invocation.value(.dir) {
      let directory = try ValueParser.text(word, of: "--dir")
      return try await restore(file, to: directory)
    }
    guard !invocation.flag(.logDir) else { throw ShellError.usage("--log-dir needs --dir") }
    return try await restoreServer(from: file)
  }

  /// Reads the snapshot. Stdin and compressed snapshots are copied to a file first, because Apache's servers accept
  /// only uncompressed ones.
  private func snapshotFile(_ source: String) throws(ShellError) -> SnapshotFile {
    let name = source == "-" ? "stdin" : source
    let needsCopy = source == "-" ? true : try FileIO.isCompressedSnapshot(source)
    let copy = needsCopy ? try DownloadedFile(nil, replaces: false) : nil
    do throws(ShellError) {
      if let copy {
        let descriptor = source == "-" ? try values.claimStdin() : try FileIO.openForReading(source)
        defer { if source != "-" { FileIO.end(descriptor) } }
        try unpack(descriptor, name: name, into: copy)
      }
      let path = try copy?.sealed() ?? source
      let size = try FileIO.size(path)
      let base = String(source[(source.lastIndex(of: "/").map(source.index(after:)) ?? source.startIndex)...])
      let facts = try facts(
        ofSnapshot: path, named: name, announced: FileName.zxid(ofSnapshot: base), bytes: size)
      return SnapshotFile(name: name, path: path, facts: facts, copy: copy)
    } catch {
      copy?.abandon()
      throw error
    }
  }

  /// Copies a snapshot and decompresses it.
  private func unpack(_ descriptor: Int32, name: String, into copy: DownloadedFile) throws(ShellError) {
    var unpacker = SnapshotUnpacker()
    var isWhole = true
    progress.begin("read", "KiB")
    defer { progress.end() }
    while isWhole {
      let bytes = try FileIO.readSome(descriptor, name: name)
      if bytes.isEmpty { break }
      let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 16)
      defer { piece.deallocate() }
      piece.copyBytes(from: bytes)
      isWhole = try unpacker.append(UnsafeRawBufferPointer(piece)) { part throws(ShellError) in
        try copy.write([UInt8](part))
      }
      progress.advance(to: copy.sizeBytes >> 10)
    }
    if isWhole { isWhole = try unpacker.finish { part throws(ShellError) in try copy.write([UInt8](part)) } }
    guard isWhole else { throw .brokenSnapshot("\(name) is damaged: it cannot be decompressed, or its end is missing") }
  }

  // MARK: A running server

  private func restoreServer(from file: SnapshotFile) async throws -> ExitCode {
    let secure = try adminTLS()
    let servers = try adminServers()
    guard servers.count == 1 else {
      throw ShellError.usage(
        "snapshot restore changes one server, and \(servers.count) are named",
        hint: "--admin HOST:PORT names one; the members of an ensemble are restored with --dir while they are stopped")
    }
    guard let zxid = file.facts.zxid, file.facts.saysZxid else {
      throw ShellError(
        .localInputOutput, "BadSnapshot", "\(file.name) does not contain the zxid of its last transaction",
        hint: "servers before 3.9 write such snapshots; put it into version-2 of an empty dataDir, or use --dir")
    }
    let server = servers[0]
    let authorization = try await authorization(for: servers, isEncrypted: secure != nil)
    let limit = invocation.flag(.limit) ? try answerLimit() : .seconds(60)
    let before: ServerStatus?
    do throws(ConnectFailure) {
      before = try await AdminClient.status(of: server, tls: secure, limit: min(limit, .seconds(10)))
    } catch {
      throw ShellError.cannotConnect([error])
    }
    if let before, before.mode != "standalone" { try warn(of: before, server) }
    let present = before.map { "\(max(0, ($0.znodeCount ?? 1) - 1)) znodes up to \($0.zxid ?? .zero)" }
    guard
      try await isRestoreConfirmed(
        file, zxid, present: present ?? "state", place: server.description, goesBack: (before?.zxid ?? .zero) > zxid)
    else { return .success }
    let answer = try await send(file, to: server, secure, authorization, limit)
    try refuse(answer, of: server)
    if answer.flag("consistent") == false { try emit(.warning(Self.fuzzyWarning)) }
    let after = try await awaitRestored(server, secure, zxid, limit)
    guard after.zxid != zxid || after.znodeCount == Int64(file.facts.znodes + 1) else {
      throw ShellError(
        .ensembleCannot, "NotRestored",
        "\(server) serves \(max(0, (after.znodeCount ?? 0) - 1)) znodes instead of \(file.facts.znodes)",
        hint: "see its log for the reason")
    }
    try emit(.record(file.record(zxid, place: server.description, kept: answer.texts("kept"))))
    return .success
  }

  /// Warns of a member of an ensemble, which only Apache's servers restore while they run.
  private func warn(of status: ServerStatus, _ server: ServerAddress) throws(ShellError) {
    try emit(
      .warning(
        "\(server) is a \(status.mode ?? "member") of an ensemble: all members must be restored with the same file"
          + " while no clients write; with --dir it is done while they are stopped"))
  }

  private static let fuzzyWarning =
    "the snapshot was written while transactions were applied, and includes effects of some after its last one"

  /// Describes what is going to happen, and asks for confirmation.
  ///
  /// - Returns: false for a dry run.
  private func isRestoreConfirmed(
    _ file: SnapshotFile, _ zxid: Zxid, present: String, place: String, goesBack: Bool
  ) async throws(ShellError) -> Bool {
    if goesBack {
      try emit(
        .warning(
          "clients that have seen a transaction after \(zxid) cannot reconnect with their sessions until the server has"
            + " reached that zxid again; restart them"))
    }
    let what = "\(file.name) (\(file.facts.znodes) znodes up to \(zxid)) in place of the \(present) of \(place)"
    if invocation.flag(.dryRun) {
      try emit(.record(file.record(zxid, place: place, kept: nil, text: "would restore \(what)")))
      return false
    }
    guard values.asksBeforeDestroying || invocation.flag(.yes) else {
      throw ShellError.usage(
        "snapshot restore needs --yes in a script: it would restore \(what)", hint: "--dry-run only shows this")
    }
    try await allow("Restore \(what)", count: max(2, file.facts.znodes))
    return true
  }

  private func send(
    _ file: SnapshotFile, to server: ServerAddress, _ secure: TLSContext?, _ authorization: String, _ limit: Duration
  ) async throws -> AdminAnswer {
    let reader = try file.reader()
    defer { reader.close() }
    progress.begin("sent", "KiB", of: file.facts.bytes >> 10)
    defer { progress.end() }
    do {
      return try await AdminClient.upload(
        "restore", to: server, tls: secure, authorization: authorization, limit: limit,
        answerLimit: max(limit, AdminClient.defaultAnswerLimit), lengthBytes: file.facts.bytes
      ) { [progress] in
        let bytes = try reader.next()
        progress.advance(by: bytes.count >> 10)
        return bytes
      }
    } catch let failure as ConnectFailure {
      throw ShellError.cannotConnect([failure])
    }
  }

  /// Explains an answer that means that nothing was restored.
  private func refuse(_ answer: AdminAnswer, of server: ServerAddress) throws(ShellError) {
    let reason = answer.error.map { ": \($0)" } ?? ""
    switch answer.status {
    case 200 where answer.error == nil && answer.hasDocument: return
    case 200 where answer.error?.hasPrefix("Unknown command") == true, 405:
      throw ShellError(
        .ensembleCannot, "NoCommand", "\(server) does not have the command restore",
        hint: "Apache's servers have it from 3.9 on; with --dir a server is restored while it is stopped")
    case 401, 403:
      throw ShellError(
        .notAllowed, "NoAuth", "\(server) can be restored only by users with all permissions on /",
        hint: "give --auth digest:USER:PASSWORD of a user with cdrwa in the ACL of /")
    case 409:
      throw ShellError(
        .ensembleCannot, "Ensemble", "\(server) is a member of an ensemble, which cannot be restored while it runs",
        hint: "stop all members, run snapshot restore with --dir and this file for each of them, and start them again")
    case 429:
      throw ShellError(
        .ensembleCannot, "TooManyRequests", "\(server) was restored recently",
        hint: "its admin.rateLimiterIntervalInMS limits how often it can be; the default is every five minutes")
    case 503:
      throw ShellError(
        .ensembleCannot, "Refused", "\(server) cannot be restored while it runs",
        hint: "admin.restore.enabled in its zoo.cfg is false")
    case 507:
      throw ShellError(.ensembleCannot, "NoSpace", "\(server) has not enough disk space for the snapshot\(reason)")
    default:
      throw ShellError(
        .ensembleCannot, "Refused", "\(server) answers with the status \(answer.status)\(reason)",
        hint: "see its log for the reason")
    }
  }

  /// Waits until the server serves the state that was sent.
  private func awaitRestored(
    _ server: ServerAddress, _ secure: TLSContext?, _ zxid: Zxid, _ limit: Duration
  ) async throws -> ServerStatus {
    let end = ContinuousClock.now + limit
    var last: ServerStatus?
    repeat {
      // The server may be restarting its ports.
      last = try? await AdminClient.status(of: server, tls: secure, limit: min(limit, .seconds(5)))
      if let last, let reached = last.zxid, reached >= zxid { return last }
      try await Task.sleep(for: .milliseconds(100))
    } while ContinuousClock.now < end
    let state = last.map { "serves the state of \($0.zxid ?? .zero)" } ?? "does not serve"
    throw ShellError(
      .timedOut, "NotRestored", "\(server) has accepted the snapshot, but \(state) instead of \(zxid)",
      hint: "see its log for the reason")
  }

  // MARK: The files of a stopped server

  private func restore(_ file: SnapshotFile, to place: String) async throws -> ExitCode {
    guard !invocation.flag(.admin), !invocation.flag(.limit) else {
      throw ShellError.usage("--dir restores files, and --admin and --limit are for a running server")
    }
    let directory = Self.dataDirectory(place)
    let logs = try invocation.value(.logDir).map { word throws(ShellError) in
      Self.dataDirectory(try ValueParser.text(word, of: "--log-dir"))
    }
    try requireStopped(directory)
    let target: DirectoryRestore
    do throws(SandboxError) {
      target = try DirectoryRestore(dataDirectory: directory, logDirectory: logs ?? directory)
    } catch {
      throw ShellError(error)
    }
    defer { target.close() }
    let (present, last) = Self.contents(of: target)
    do {
      let staged = try target.stage(file.path, zxid: file.facts.zxid)
      guard
        try await isRestoreConfirmed(
          file, staged.zxid, present: present, place: directory, goesBack: last > staged.zxid)
      else { return .success }
      if staged.isFuzzy { try emit(.warning(Self.fuzzyWarning)) }
      let result = try target.install(staged.zxid)
      try emit(.record(file.record(staged.zxid, place: directory, kept: result.asidePaths)))
      return .success
    } catch let error as SandboxError {
      throw ShellError(error)
    }
  }

  /// The data directory, also if its `version-2` was named.
  private static func dataDirectory(_ path: String) -> String {
    var path = path[...]
    while path.utf8.count > 1, path.hasSuffix("/") { path = path.dropLast() }
    guard path == "version-2" || path.hasSuffix("/version-2") else { return String(path) }
    path = path.dropLast("/version-2".count)
    return path.isEmpty ? "." : String(path)
  }

  /// The present contents of a directory, and the last transaction in it.
  private static func contents(of target: DirectoryRestore) -> (text: String, last: Zxid) {
    do throws(SandboxError) {
      guard let present = try target.contents() else { return ("empty state", .zero) }
      return ("\(present.znodes) znodes up to \(present.zxid)", present.zxid)
    } catch {
      return ("damaged state (\(error.message))", .zero)
    }
  }

  /// Refuses while the server runs that the process file of the directory names, because Apache's servers do not lock
  /// the directory.
  private func requireStopped(_ directory: String) throws(ShellError) {
    guard FileIO.exists("\(directory)/zookeeper_server.pid") else { return }
    let bytes = try FileIO.read("\(directory)/zookeeper_server.pid")
    guard let process = Int32(String(decoding: bytes, as: UTF8.self).filter(\.isNumber)) else { return }
    switch ServerIdentity.of(process, lockFile: "\(directory)/zkcli.lock", configurationFile: nil) {
    case .none, .stranger: return
    case .server, .unknown:
      throw ShellError(
        .conflict, "Running", "a server runs on \(directory) as process \(process)", hint: "stop it first")
    }
  }
}

/// A snapshot that will be restored.
private struct SnapshotFile {
  /// Its name in messages.
  let name: String
  let path: String
  let facts: SnapshotFacts
  /// The copy of stdin, or of a compressed file.
  let copy: DownloadedFile?

  func abandon() { copy?.abandon() }

  func reader() throws(ShellError) -> SnapshotPieces {
    SnapshotPieces(try FileIO.openForReading(path), name: name)
  }

  func record(
    _ zxid: Zxid, place: String, kept: [String]?, text: String? = nil
  ) -> Record {
    let end = kept.map { $0.isEmpty ? "" : "; the earlier state is kept in \($0.joined(separator: ", "))" } ?? ""
    return Record(
      text ?? "restored \(name) on \(place): \(facts.znodes) znodes up to \(zxid)\(end)",
      [
        "file": .text(name), "place": .text(place), "zxid": .text("\(zxid)"), "znodes": .number(Int64(facts.znodes)),
        "sessions": .number(Int64(facts.sessions)), "bytes": .number(Int64(facts.bytes)),
        "kept": kept.map { .list($0) } ?? .missing,
      ])
  }
}

extension FileIO {
  /// Whether a file begins as a compressed snapshot does.
  fileprivate static func isCompressedSnapshot(_ path: String) throws(ShellError) -> Bool {
    let descriptor = try openForReading(path)
    defer { end(descriptor) }
    let head = try readSome(descriptor, name: path)
    return head.starts(with: [0x1f, 0x8b]) || head.starts(with: Snappy.javaStart)
  }
}

/// The bytes of a file in pieces.
///
/// *Thread*: any, one at a time.
private final class SnapshotPieces: Sendable {
  private let descriptor: Int32
  private let name: String

  init(_ descriptor: Int32, name: String) {
    self.descriptor = descriptor
    self.name = name
  }

  /// The next piece; empty at the end.
  func next() throws(ShellError) -> [UInt8] { try FileIO.readSome(descriptor, name: name) }

  func close() { FileIO.end(descriptor) }
}
