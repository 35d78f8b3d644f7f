import Synchronization
import TransportSecurity
import TxnLog
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperMonitor
import ZooKeeperProtocol

/// snapshot.
extension CommandContext {
  /// Saves a snapshot of a server, or restores a server from one.
  func snapshot() async throws -> ExitCode {
    let action = try ValueParser.choice(invocation.arguments[0], of: "action", among: ["save", "restore"])
    let foreign: [OptionName] = action == "save" ? [.dir, .logDir, .dryRun, .yes] : [.overwrite]
    if let other = foreign.first(where: invocation.flag) {
      throw ShellError.usage("snapshot \(action) has no option --\(other.rawValue)")
    }
    return action == "save" ? try await saveSnapshot() : try await restoreSnapshot()
  }

  /// Saves a snapshot of a server, and checks it before it is renamed to its final name.
  private func saveSnapshot() async throws -> ExitCode {
    let target = try ValueParser.text(invocation.arguments[1], of: "file")
    let limit = invocation.flag(.limit) ? try answerLimit() : .seconds(60)
    let secure = try adminTLS()
    let servers = try adminServers()
    let authorization = try await authorization(for: servers, isEncrypted: secure != nil)
    let file = try DownloadedFile(target == "-" ? nil : target, replaces: invocation.flag(.overwrite))
    do {
      let server = try await download(to: file, from: servers, secure, authorization, limit)
      let facts = try check(file, server.answer)
      if target == "-" {
        try file.read { [emit] bytes throws(ShellError) in try emit(.tree(.bytes(bytes))) }
        file.abandon()
        return .success
      }
      try file.finish()
      try emit(.record(facts.record(path: target, server: server.address)))
      return .success
    } catch {
      file.abandon()
      throw error
    }
  }

  /// The value of the header `Authorization`.
  ///
  /// - Throws: a usage error for a password that would leave this machine in the clear.
  func authorization(for servers: [ServerAddress], isEncrypted: Bool) async throws -> String {
    guard let (scheme, proof) = try await credentials().first else { return tls == nil || !isEncrypted ? "ip" : "x509" }
    let text = String(decoding: proof, as: UTF8.self)
    guard [UInt8](text.utf8) == proof, !proof.contains(where: { $0 < 0x20 || $0 == 0x7f }) else {
      throw ShellError.usage("the AdminServer accepts only an identity that is text on one line")
    }
    let local: Set = ["localhost", "127.0.0.1", "::1"]
    if !isEncrypted, let far = servers.first(where: { !local.contains($0.host) }) {
      throw ShellError.usage(
        "the password would be sent to \(far) unencrypted",
        hint: "--admin https://HOST:PORT encrypts it; the server needs admin.forceHttps or admin.portUnification")
    }
    return "\(scheme) \(text)"
  }

  /// Fetches the snapshot from the first server that can be reached.
  private func download(
    to file: DownloadedFile, from servers: [ServerAddress], _ secure: TLSContext?, _ authorization: String,
    _ limit: Duration
  ) async throws -> (address: ServerAddress, answer: AdminAnswer) {
    var failures: [ConnectFailure] = []
    progress.begin("received", "KiB")
    for server in servers {
      do {
        let answer = try await AdminClient.download(
          "snapshot?streaming=true", of: server, tls: secure, authorization: authorization, limit: limit
        ) { [progress] bytes in
          try file.write(bytes)
          progress.advance(to: file.sizeBytes >> 10)
        }
        progress.end()
        try refuse(answer, of: server, hasFile: file.sizeBytes > 0)
        return (server, answer)
      } catch let failure as ConnectFailure {
        // Another server has a different snapshot, so a partial download cannot be continued there.
        guard file.sizeBytes == 0 else { throw ShellError.cannotConnect([failure]) }
        failures.append(failure)
      }
    }
    throw ShellError.cannotConnect(failures)
  }

  /// Explains an answer that is not a snapshot.
  private func refuse(_ answer: AdminAnswer, of server: ServerAddress, hasFile: Bool) throws(ShellError) {
    switch answer.status {
    case 200 where hasFile: return
    case 200 where answer.error?.hasPrefix("Unknown command") == true:
      throw ShellError(
        .ensembleCannot, "NoCommand", "\(server) does not have the command snapshot",
        hint: "Apache's servers have it from 3.9 on; with an older one, copy the files of its dataDir")
    case 401, 403:
      throw ShellError(
        .notAllowed, "NoAuth", "\(server) gives snapshots only to users with all permissions on /",
        hint: "give --auth digest:USER:PASSWORD of a user with cdrwa in the ACL of /")
    case 429:
      throw ShellError(
        .ensembleCannot, "TooManyRequests", "\(server) has taken a snapshot recently",
        hint: "its admin.rateLimiterIntervalInMS limits how often it does; the default is every five minutes")
    case 503:
      throw ShellError(
        .ensembleCannot, "Refused", "\(server) does not take snapshots",
        hint: "admin.snapshot.enabled in its zoo.cfg is false")
    default:
      let reason = answer.error.map { ": \($0)" } ?? ""
      throw ShellError(
        .ensembleCannot, "Refused", "\(server) answers with the status \(answer.status)\(reason)",
        hint: "see its log for the reason")
    }
  }

  /// Reads the file, checks its checksums, and compares it with the server's description of it.
  private func check(_ file: DownloadedFile, _ answer: AdminAnswer) throws(ShellError) -> SnapshotFacts {
    if let size = answer.headers["snapshot_size"].flatMap({ Int($0) }), size != file.sizeBytes {
      throw .brokenSnapshot("it has \(file.sizeBytes) bytes instead of \(size)")
    }
    let announced = answer.headers["last_zxid"].flatMap { text in
      text.hasPrefix("0x") ? UInt64(text.dropFirst(2), radix: 16) : nil
    }.map { Zxid(rawValue: Int64(bitPattern: $0)) }
    return try facts(ofSnapshot: try file.sealed(), named: file.path, announced: announced, bytes: file.sizeBytes)
  }

  /// Reads a snapshot and checks its checksums.
  ///
  /// - Parameters:
  ///   - name: its name in messages.
  ///   - announced: the last transaction that it should contain.
  func facts(
    ofSnapshot path: String, named name: String, announced: Zxid?, bytes: Int
  ) throws(ShellError) -> SnapshotFacts {
    progress.begin("checked")
    defer { progress.end() }
    do throws(TxnLogError) {
      var reader = try SnapshotReader(PosixFileSystem(), path: path, zxid: announced ?? .zero)
      while try reader.next() != nil {
        progress.advance()
        if reader.nodeCount & 0xfff == 0, Task.isCancelled { break }
      }
      guard !Task.isCancelled else { throw TxnLogError(.poisoned, path: name) }
      if let announced, let last = reader.lastProcessed, announced != last {
        throw TxnLogError(.rejected("it ends with \(last) instead of \(announced)"), path: name)
      }
      return SnapshotFacts(
        zxid: reader.lastProcessed ?? announced, saysZxid: reader.lastProcessed != nil, znodes: reader.nodeCount,
        sessions: reader.sessions.count, bytes: bytes, digest: reader.digest?.treeDigest)
    } catch {
      if Task.isCancelled { throw .cancelled(outcomeUnknown: false, path: nil) }
      throw .brokenSnapshot("\(error)")
    }
  }
}

/// Facts about a snapshot that was read.
struct SnapshotFacts: Sendable {
  /// Its last transaction; nil if that is not known.
  let zxid: Zxid?
  /// Whether the file itself contains it.
  let saysZxid: Bool
  let znodes: Int
  let sessions: Int
  let bytes: Int
  let digest: UInt64?

  /// The answer for a file that was saved.
  func record(path: String, server: ServerAddress) -> Record {
    Record(
      "saved \(path): \(znodes) znodes up to \(zxid ?? .zero), \(bytes) bytes, from \(server); its checksums are right",
      [
        "file": .text(path), "server": .text(server.description), "zxid": .text("\(zxid ?? .zero)"),
        "znodes": .number(Int64(znodes)), "sessions": .number(Int64(sessions)), "bytes": .number(Int64(bytes)),
        "digest": digest.map { .text(String($0, radix: 16)) } ?? .missing,
      ])
  }
}

extension ShellError {
  /// The error for a file or a download that is not a valid snapshot.
  static func brokenSnapshot(_ reason: String) -> ShellError {
    ShellError(
      .localInputOutput, "BadSnapshot", "this is not a complete snapshot: \(reason)",
      hint: "nothing was saved or changed")
  }
}
