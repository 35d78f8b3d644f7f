import JSONFormat
import ZnodeFormats
import ZooKeeperClient
import ZooKeeperProtocol

/// Compressed values, and parts of JSON texts.
extension CommandContext {
  /// The data, decoded if `--decode` asks for it.
  ///
  /// - Throws: exit code 4 for data that is damaged or has another format; 6 if it is too large.
  func decoded(_ data: [UInt8], of path: String) throws(ShellError) -> [UInt8] {
    guard let word = invocation.value(.decode) else { return data }
    let kind = try word.bytes.isEmpty ? nil : Self.compression(word)
    do throws(ValueCompression.Failure) {
      if let kind { return try kind.decode(data) }
      return try ValueCompression.recognized(data)?.data ?? data
    } catch {
      throw .notDecoded(path, error)
    }
  }

  private static func compression(_ word: Word) throws(ShellError) -> ValueCompression? {
    let names = ValueCompression.allCases.map(\.rawValue)
    return ValueCompression(rawValue: try ValueParser.choice(word, of: "--decode", among: names))
  }

  /// Prints one value of a JSON text.
  func getJSONValue(_ word: Word, _ client: ZooKeeperClient) async throws -> ExitCode {
    for option in [OptionName.stat, .base64, .hex] where invocation.flag(option) {
      throw ShellError.usage("--json-path cannot be combined with --\(option.rawValue)")
    }
    let jsonPath = try JSONPath(try ValueParser.text(word, of: "--json-path"))
    try await forEachPath(.live(client)) { path, heading in
      let (data, stat) = try await client.getData(path, watch: invocation.flag(.watch))
      let text = try jsonText(try decoded(data ?? [], of: path), of: path)
      guard case .value(let range) = text.place(jsonPath) else {
        throw ShellError.noJSONValue(jsonPath, path, isWrite: false)
      }
      try heading()
      try emit(
        .value(
          .json(
            path: path, jsonPath: jsonPath.text, value: [UInt8](text.bytes[range]), line: text.compacted(range),
            version: stat.version)))
    }
    return .success
  }

  /// How many times a value is read again because other clients change it at the same time.
  private static let attemptLimit = 20

  /// Replaces one value of a JSON text and keeps all other bytes.
  ///
  /// Without a version, the text is read again if other clients change it meanwhile.
  func setJSONValue(_ word: Word, _ client: ZooKeeperClient) async throws -> ExitCode {
    let path = try path()
    for option in [OptionName.base64, .create, .parents] where invocation.flag(option) {
      throw ShellError.usage("--json-path cannot be combined with --\(option.rawValue)")
    }
    let jsonPath = try JSONPath(try ValueParser.text(word, of: "--json-path"))
    let value = try Self.jsonValue(try await data(invocation.arguments[1]))
    let version = try invocation.version()
    for attempt in 1...Self.attemptLimit {
      let (data, stat) = try await client.getData(path)
      guard version == -1 || stat.version == version else { throw ZooKeeperError(.server(.badVersion), path: path) }
      let text = try jsonText(data ?? [], of: path)
      guard let changed = text.setting(jsonPath, to: value) else {
        throw ShellError.noJSONValue(jsonPath, path, isWrite: true)
      }
      do {
        let stat = try await client.setData(path, data: changed, version: stat.version)
        try emit(.changed(path: path, stat: invocation.flag(.stat) ? stat : nil))
        return .success
      } catch let error as ZooKeeperError {
        guard error.code == .server(.badVersion), version == -1, attempt < Self.attemptLimit else { throw error }
      }
    }
    return .conflict
  }

  private func jsonText(_ data: [UInt8], of path: String) throws(ShellError) -> JSONText {
    do throws(JSONTextError) {
      return try JSONText(data)
    } catch {
      let isCompressed = (try? ValueCompression.recognized(data)) != nil
      throw ShellError(
        .conflict, "NotJSON", path: path, "the data is not JSON: \(error.text)",
        hint: isCompressed ? "it is compressed: get --decode shows it" : nil)
    }
  }

  /// A JSON text as it is; any other text as a JSON string.
  static func jsonValue(_ bytes: [UInt8]) throws(ShellError) -> [UInt8] {
    if let text = try? JSONText(bytes) { return [UInt8](bytes[text.root]) }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .usage("a value of a JSON text must be UTF-8")
    }
    return JSON.string(text).bytes
  }
}

extension ShellError {
  /// The error for a JSON text without a value at a path.
  fileprivate static func noJSONValue(_ jsonPath: JSONPath, _ path: String, isWrite: Bool) -> ShellError {
    ShellError(
      .conflict, "NoValue", path: path, "the JSON text has no value at \(Tokenizer.quote(jsonPath.text))",
      hint: isWrite ? "only the last component of the path can be new" : nil)
  }

  fileprivate static func notDecoded(_ path: String, _ failure: ValueCompression.Failure) -> ShellError {
    let limit = "decompresses to more than \(ValueCompression.limitBytes >> 20) MiB"
    return switch failure {
    case .damaged:
      ShellError(
        .conflict, "NotCompressed", path: path, "the data is damaged, or not compressed in this way",
        hint: "without --decode it is printed unchanged")
    case .tooLarge: ShellError(.overLimit, "TooLarge", path: path, "the data \(limit)")
    case .damagedOrTooLarge: ShellError(.overLimit, "TooLarge", path: path, "the data is damaged, or \(limit)")
    }
  }
}
