import ZooKeeperProtocol

/// The addresses of the page in options.
enum WebAddress {
  /// The default address.
  static let usual = ServerAddress(host: "127.0.0.1", port: 9090)

  /// Parses `HOST:PORT`, or one of the two.
  ///
  /// - Throws: a usage error that names the option.
  static func read(_ word: Word, of option: String) throws(ShellError) -> ServerAddress {
    let text = try ValueParser.text(word, of: option)
    if let port = Int(text), (0...65535).contains(port) { return ServerAddress(host: usual.host, port: port) }
    if let address = ServerAddress(parsing: text), !address.host.isEmpty { return address }
    guard let host = ServerAddress.host(text), !host.isEmpty, !host.contains(":") || text.hasPrefix("[") else {
      throw .usage(
        "\(option) \(Tokenizer.quote(word)) is not HOST:PORT", hint: "for example 127.0.0.1:9090 or [::1]:9090")
    }
    return ServerAddress(host: host, port: usual.port)
  }
}
