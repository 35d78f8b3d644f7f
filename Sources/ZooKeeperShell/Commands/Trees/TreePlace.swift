import ZooKeeperClient
import ZooKeeperHistory
import ZooKeeperProtocol
import ZooKeeperTrees

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The place of a subtree: on this ensemble, on another one, or in a file.
enum TreePlace: Sendable {
  case znode(ZooKeeperClient, path: String, ensemble: Ensemble)
  case file(String, TreeFormat?)
  /// stdin or stdout.
  case standardStream(TreeFormat?)
  /// A subtree in a past state.
  case past(PastState, path: String, directory: String)

  /// Which ensemble a znode is on.
  enum Ensemble: Hashable, Sendable {
    /// The one that the shell is connected to.
    case present
    case other(ConnectString)
    /// A cluster of the configuration file.
    case cluster(NamedCluster, ConnectString)
  }
}

extension CommandContext {
  /// The place that an argument names: `-`, `file:NAME`, `snap:DIR:/path`, `zk://host:port/path`, or a path on this
  /// ensemble.
  ///
  /// - Parameter isFile: whether an argument in no other form names a file.
  /// - Throws: a usage error for an argument that names no place.
  func place(of word: Word, _ client: ZooKeeperClient, isFile: Bool = false) async throws -> TreePlace {
    let text = try ValueParser.text(word, of: "place")
    if text == "-" || text.hasPrefix("file:") { return try filePlace(of: word) }
    if text.hasPrefix("snap:") { return try pastPlace(String(text.dropFirst(5))) }
    if text.hasPrefix("zk://") || text.hasPrefix("zks://") {
      var ensemble = try ShellSettings.connectString(text, from: "place")
      let path = ensemble.chroot ?? "/"
      ensemble.chroot = nil
      return .znode(try await openOther(ensemble), path: path, ensemble: .other(ensemble))
    }
    if isFile { return try filePlace(of: word) }
    if let (name, path) = Self.clusterPlace(text) {
      if name == cluster?.name, chroot == nil { return .znode(client, path: path, ensemble: .present) }
      let (client, cluster, servers) = try await openCluster(name)
      return .znode(client, path: path, ensemble: .cluster(cluster, servers))
    }
    return .znode(client, path: try path(of: word), ensemble: .present)
  }

  /// The file that an argument names, with `file:` or without, or the standard stream for `-`.
  ///
  /// - Throws: a usage error for an unknown `--format`.
  func filePlace(of word: Word) throws(ShellError) -> TreePlace {
    let format = try invocation.value(.format).map { word throws(ShellError) in
      TreeFormat(
        rawValue: try ValueParser.choice(word, of: "--format", among: TreeFormat.allCases.map(\.rawValue)))!
    }
    let text = try ValueParser.text(word, of: "place")
    if text == "-" { return .standardStream(format) }
    return .file(text.hasPrefix("file:") ? String(text.dropFirst(5)) : text, format)
  }

  /// The place `DIR:/path` in the state that `--at` or `--before` names.
  private func pastPlace(_ text: String) throws(ShellError) -> TreePlace {
    let bytes = text.utf8
    // The first colon that is followed by a slash, because names of directories seldom contain one.
    let colon = bytes.indices.first { index in
      bytes[index] == UInt8(ascii: ":") && bytes[index...].dropFirst().first == UInt8(ascii: "/")
    }
    guard let colon, colon > text.startIndex else {
      throw .usage("snap:\(text) does not name a znode", hint: "write it as snap:DIR:/PATH")
    }
    let directory = String(text[..<colon])
    let path = try ValueParser.path(Word(String(text[text.index(after: colon)...])), in: "/")
    var history = try history(Word(directory))
    let state = try state(of: &history, at: try moment())
    guard state.exists(path) else { throw ShellError(.noNode, path: path) }
    return .past(state, path: path, directory: directory)
  }

  /// The parts of `NAME:/path`; nil for any other text.
  static func clusterPlace(_ text: String) -> (name: String, path: String)? {
    guard let colon = text.firstIndex(of: ":"), colon > text.startIndex else { return nil }
    let path = text[text.index(after: colon)...]
    guard path.hasPrefix("/"), !text[..<colon].contains("/") else { return nil }
    return (String(text[..<colon]), String(path))
  }

  /// A reader of the file or stream.
  ///
  /// - Throws: exit code 12 if it cannot be read.
  func reader(of place: TreePlace) throws(ShellError) -> any TreeFileReader & Sendable {
    switch place {
    case .znode: preconditionFailure("a znode is not a file")
    case .past(let state, let path, _): return PastTree(state, root: path)
    case .standardStream(let format): return try streamReader(try values.claimStdin(), nil, "stdin", format)
    case .file(let name, let format):
      if format ?? (FileIO.isDirectory(name) ? .directory : nil) == .directory {
        return try TreeDirectoryReader(name)
      }
      let format = format ?? TreeFormat(ending: name)
      let descriptor = try FileIO.openForReading(name)
      let again = FileIO.isRegular(descriptor) ? try FileIO.openForReading(name) : nil
      return try streamReader(descriptor, again, name, format)
    }
  }

  /// - Parameter again: opens the file again, if it can be read twice.
  private func streamReader(
    _ descriptor: Int32, _ again: Int32?, _ name: String, _ format: TreeFormat?
  ) throws(ShellError) -> any TreeFileReader & Sendable {
    var input = ByteSource(descriptor, name: name)
    // A tar archive begins with a file name, and JSON lines begin with a brace.
    let first = try input.peek(1).first
    let isLines = format.map { $0 == .jsonl } ?? (first == nil || first == UInt8(ascii: "{"))
    if isLines { return TreeLinesReader(input) }
    guard let again else { return TarReader(input) }
    defer { close(again) }
    return try TarReader(input, after: ByteSource(again, name: name))
  }
}

extension TreePlace {
  /// The cluster of the configuration file that it is on, if it was named by one.
  var cluster: NamedCluster? {
    if case .znode(_, _, .cluster(let cluster, _)) = self { cluster } else { nil }
  }

  /// The name of the place in messages.
  var text: String {
    switch self {
    case .znode(_, let path, .present): path
    case .znode(_, let path, .cluster(let cluster, _)): "\(cluster.name):\(path)"
    case .znode(_, let path, .other(let ensemble)): (ensemble.requiresTLS ? "" : "zk://") + "\(ensemble)\(path)"
    case .file(let name, _): "file:\(name)"
    case .standardStream: "-"
    case .past(let state, let path, let directory): "\(path) of \(directory) at \(state.zxid)"
    }
  }
}
