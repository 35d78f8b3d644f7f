/// A unique part of a znode's name, by which a create whose reply was lost can be recognised.
///
/// *Shape*: a random UUID of version 4 in front of the name, in Curator's form (`_c_<uuid>-`) or kazoo's (32
/// hexadecimal digits).
///
/// *Source*: Curator's "protection" (`CreateBuilder.withProtection`).
struct ProtectedName: Hashable, Sendable {
  /// With dashes, in lower case.
  let uuid: String

  /// A new random name.
  init() {
    var bytes = (0..<16).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    let digits = bytes.map { byte in
      let text = String(byte, radix: 16)
      return text.utf8.count == 1 ? "0" + text : text
    }
    uuid = [0..<4, 4..<6, 6..<8, 8..<10, 10..<16].map { digits[$0].joined() }.joined(separator: "-")
  }

  /// What Curator puts in front of a name.
  var curatorPrefix: String { "_c_\(uuid)-" }

  /// What kazoo puts in front of a name.
  var kazooPrefix: String { uuid.filter { $0 != "-" } }
}
