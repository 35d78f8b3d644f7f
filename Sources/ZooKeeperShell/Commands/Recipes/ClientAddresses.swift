import TransportSecurity
import ZooKeeperClient
import ZooKeeperProtocol

/// The addresses of sessions' clients, as reported by servers that allow the four-letter word `cons`.
enum ClientAddresses {
  /// Asks several servers concurrently.
  static func ask(_ servers: [ServerAddress], _ tls: TLSContext?) async -> [SessionID: String] {
    await withTaskGroup(of: String.self) { group in
      for server in servers {
        group.addTask { await FourLetterWord.ask("cons", of: server, tls: tls, limit: .seconds(1)) ?? "" }
      }
      var addresses: [SessionID: String] = [:]
      for await answer in group { addresses.merge(parse(answer)) { first, _ in first } }
      return addresses
    }
  }

  /// Parses an answer to `cons`.
  ///
  /// *Shape*: lines ` /127.0.0.1:53422[1](queued=0,recved=1,sent=1,sid=0x1000a2b3c4d0001,...)`.
  static func parse(_ answer: String) -> [SessionID: String] {
    var addresses: [SessionID: String] = [:]
    for line in answer.split(separator: "\n") {
      guard let slash = line.firstIndex(of: "/"), let bracket = line[slash...].firstIndex(of: "["),
        let field = line.split(whereSeparator: { "(,)".contains($0) }).first(where: { $0.hasPrefix("sid=0x") }),
        let bits = UInt64(field.dropFirst("sid=0x".count), radix: 16)
      else { continue }
      addresses[SessionID(rawValue: Int64(bitPattern: bits))] = String(line[line.index(after: slash)..<bracket])
    }
    return addresses
  }
}
