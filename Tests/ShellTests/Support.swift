import Foundation
import ZooKeeperProtocol

@testable import ZooKeeperShell

/// The variables of this process.
enum Environment {
  static subscript(name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}

/// The sources of this package.
enum Repository {
  static let root = URL(fileURLWithPath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func url(_ path: String) -> URL { root.appendingPathComponent(path) }

  static func text(_ path: String) throws -> String { try String(contentsOf: url(path), encoding: .utf8) }
}

extension Stat {
  /// A stat with a different number in every field.
  static let sample = Stat(
    czxid: Zxid(rawValue: 2), mzxid: Zxid(rawValue: 0x33), ctimeMilliseconds: 1_795_414_980_123,
    mtimeMilliseconds: 1_795_415_097_004, version: 2, cversion: 7, aversion: 1,
    ephemeralOwner: SessionID(rawValue: 0x1_0000_2a5f_0001), dataLength: 5, numChildren: 3,
    pzxid: Zxid(rawValue: -1))
}

/// The words of a line that is known to be whole.
func words(_ line: String) -> [Word] {
  guard case .words(let words) = Tokenizer.tokenize(line) else { preconditionFailure("open quote in \(line)") }
  return words
}
