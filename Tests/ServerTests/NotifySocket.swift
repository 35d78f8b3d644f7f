import Foundation
import TestKit

/// A socket that takes what a service tells its manager, as systemd's does.
final class NotifySocket: Sendable {
  /// What `NOTIFY_SOCKET` names it.
  let name: String
  private let descriptor: Int32

  /// - Parameter isAbstract: whether it has a name that is in no directory.
  init(isAbstract: Bool) throws {
    let path = "\(try Scratch.directory("notify"))/socket"
    name = isAbstract ? "@\(path)" : path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array((isAbstract ? "\0" + path : path).utf8)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = MemoryLayout<sa_family_t>.size + bytes.count + (isAbstract ? 0 : 1)
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, socklen_t(length)) }
    }
    guard descriptor >= 0, status == 0 else { throw TestKitError(.systemCall, "a notification socket") }
  }

  deinit { close(descriptor) }

  /// The next message, split into its variables; nil if none has come.
  func next() -> [String]? {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
    guard count >= 0 else { return nil }
    return String(decoding: buffer.prefix(count), as: UTF8.self).split(separator: "\n").map(String.init)
  }

  /// Waits for a message with a variable, and returns the messages up to it.
  func messages(until variable: String) async throws -> [[String]] {
    var messages: [[String]] = []
    try await eventually("the message \(variable)", within: .seconds(60), every: .milliseconds(5)) {
      while let message = next() {
        messages.append(message)
        if message.contains(variable) { return true }
      }
      return false
    }
    return messages
  }
}
