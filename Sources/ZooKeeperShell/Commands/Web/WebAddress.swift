import ZooKeeperProtocol

/// The addresses of the page, as options give them.
enum WebAddress {
  /// The one of a page that is given none.
  static let usual = HostAndPort(host: "127.0.0.1", port: 9090)

  /// Reads `HOST:PORT`, or one of the two.
  ///
  /// - Throws: a usage error that names the option.
  static func read(_ word: Word, of option: String) throws(ShellError) -> HostAndPort {
    let text = try ValueParser.text(word, of: option)
    if let port = Int(text), (0...65535).contains(port) { return HostAndPort(host: usual.host, port: port) }
    if let address = HostAndPort(parsing: text), !address.host.isEmpty { return address }
    guard let host = HostAndPort.host(text), !host.isEmpty, !host.contains(":") || text.hasPrefix("[") else {
      throw .usage(
        "\(option) \(Tokenizer.quote(word)) is not HOST:PORT", hint: "for example 127.0.0.1:9090 or [::1]:9090")
    }
    return HostAndPort(host: host, port: usual.port)
  }
}
