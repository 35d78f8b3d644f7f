import JSONFormat
import NIOHTTP1
import ZnodeFormats

/// The lines of the access log, which records changes and their users.
///
/// *Shape*: `TIME ADDRESS USER CLUSTER STATUS RESULT DEED`; the result is the name of the error, or `ok`.
enum AccessLog {
  /// The maximum length of the description.
  private static let deedLimit = 2000

  /// The line of a request.
  static func line(
    _ client: WebClient, user: String?, cluster: String?, status: HTTPResponseStatus, word: String, deed: String,
    milliseconds: Int64
  ) -> String {
    let time = TimeStyle.iso.text(milliseconds: milliseconds)
    let who = user.map { quoted($0) } ?? "-"
    let place = cluster.map { quoted($0) } ?? "-"
    return "\(time) \(client.address) \(who) \(place) \(status.code) \(word) \(printable(deed))"
  }

  /// A quoted text, in which characters are escaped that would end it or the line.
  static func quoted(_ text: String) -> String { String(decoding: JSON.string(text).bytes, as: UTF8.self) }

  private static func printable(_ text: String) -> String {
    let shortened = text.utf8.count > deedLimit ? String(text.prefix(deedLimit / 4)) + "..." : text
    return String(
      shortened.unicodeScalars.map { $0.value < 0x20 || (0x7f...0x9f).contains($0.value) ? "?" : Character($0) })
  }
}
