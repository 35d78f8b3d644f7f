import TxnLog
import ZooKeeperProtocol

/// Writes a committed configuration to the files where administrators and Apache's server expect it: the members to
/// `zoo.cfg.dynamic.VERSION`, and the name of that file to `zoo.cfg`.
///
/// This server itself uses the copy in its data directory, see `EpochFiles.agreedConfiguration`, so it need not stop if
/// `zoo.cfg` cannot be written.
///
/// *Source*: `QuorumPeerConfig.writeDynamicConfig`, `editStaticConfig`; `StorageFormat` E.2. Unlike with Apache,
/// comments and the order of the other lines are kept.
struct ConfigurationRewrite<Files: FileSystem> {
  let files: Files
  /// The path of `zoo.cfg`.
  let path: String

  /// Writes both files. The first time, the original `zoo.cfg` is kept as `zoo.cfg.bak`.
  ///
  /// - Parameters:
  ///   - configuration: the active configuration.
  ///   - own: the id of this server.
  /// - Returns: the path of the file with the members.
  func save(_ configuration: QuorumConfiguration, own: ServerID) throws(FileSystemError) -> String {
    let text = PropertiesText.text(of: try files.contents(of: path))
    let (directory, name) = Self.split(path)
    let dynamicName = "\(name).dynamic.\(String(configuration.version, radix: 16))"
    let dynamicPath = "\(directory)/\(dynamicName)"
    try files.replace(dynamicName, in: directory, with: Array(Self.dynamicText(of: configuration).utf8))
    let hasClientAddress = configuration.member(own)?.client != nil
    let rewritten = Self.staticText(from: text, dynamicFile: dynamicPath, dropsClientAddress: hasClientAddress)
    let isFirst = !PropertiesText(parsing: text).entries.contains { $0.key == "dynamicConfigFile" }
    // It may hold secrets, and be readable by the server's user only.
    if isFirst { try files.replace("\(name).bak", in: directory, with: Array(text.utf8), permissionsOf: path) }
    try files.replace(name, in: directory, with: Array(rewritten.utf8), permissionsOf: path)
    return dynamicPath
  }

  /// The members, sorted; the version is in the file's name.
  private static func dynamicText(of configuration: QuorumConfiguration) -> String {
    let lines = configuration.text.split(separator: "\n").filter { !$0.hasPrefix("version=") }
    return lines.sorted().map { $0 + "\n" }.joined()
  }

  /// The text of `zoo.cfg` without what is in the other file now, and with the name of that file.
  private static func staticText(from text: String, dynamicFile: String, dropsClientAddress: Bool) -> String {
    let dropped = PropertiesText(parsing: text).entries.filter { entry in
      switch entry.key {
      case "dynamicConfigFile", "peerType": true
      case "clientPort", "clientPortAddress": dropsClientAddress
      default: ["server.", "group.", "weight."].contains { entry.key.hasPrefix($0) }
      }
    }
    let numbers = Set(dropped.map(\.line))
    var kept: [Substring.UnicodeScalarView] = []
    var isContinued = false
    for (index, line) in PropertiesText.lines(of: text).enumerated() {
      let isDropped = isContinued || numbers.contains(index + 1)
      isContinued = isDropped && PropertiesText.isContinued(line.prefix { $0 != "\n" && $0 != "\r" })
      if !isDropped { kept.append(line) }
    }
    let isBlank: (Unicode.Scalar) -> Bool = { $0 == "\n" || $0 == "\r" }
    while kept.last?.allSatisfy(isBlank) == true { kept.removeLast() }
    // The line ends of the file are kept.
    let lineEnd = kept.first.map { String($0.reversed().prefix(while: isBlank).reversed().map(Character.init)) } ?? ""
    var rewritten = kept.reduce(into: "") { $0.unicodeScalars.append(contentsOf: $1) }
    if kept.last?.last.map(isBlank) == false { rewritten += lineEnd.isEmpty ? "\n" : lineEnd }
    return rewritten + "dynamicConfigFile=\(dynamicFile)" + (lineEnd.isEmpty ? "\n" : lineEnd)
  }

  private static func split(_ path: String) -> (directory: String, name: String) {
    guard let slash = path.lastIndex(of: "/") else { return (".", path) }
    let directory = slash == path.startIndex ? "/" : String(path[..<slash])
    return (directory, String(path[path.index(after: slash)...]))
  }
}
