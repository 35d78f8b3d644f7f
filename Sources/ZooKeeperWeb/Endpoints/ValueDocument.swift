import JSONFormat
import ZnodeFormats

/// The data of a znode for the page.
struct ValueDocument {
  /// The form of the data.
  private enum Form: String {
    case null, empty, text, json, binary

    init(_ data: [UInt8]?) {
      guard let data else {
        self = .null
        return
      }
      guard !data.isEmpty else {
        self = .empty
        return
      }
      let isText =
        data.allSatisfy { $0 >= 0x20 && $0 != 0x7f || $0 == 0x0a || $0 == 0x09 || $0 == 0x0d }
        && String(validating: data, as: UTF8.self) != nil
      guard isText else {
        self = .binary
        return
      }
      let first = data.first { $0 > 0x20 }
      let isNested = first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
      self = isNested && JSONReader.read(data) != nil ? .json : .text
    }
  }

  private let data: [UInt8]?

  init(_ data: [UInt8]?) { self.data = data }

  /// The members `data`, `encoding`, `form`, `compression`, `decoded` and `decodeError`.
  var members: [(key: String, value: JSON)] {
    var compression: JSON = .null
    var decoded: JSON = .null
    var failure: JSON = .null
    if let data {
      do throws(ValueCompression.Failure) {
        if let (inner, kind) = try ValueCompression.recognized(data, limitBytes: WebLimits.decodedBytes) {
          compression = .string(kind.rawValue)
          decoded = .object(Self.plain(inner))
        }
      } catch {
        failure = .string(Self.text(of: error))
      }
    }
    return Self.plain(data) + [("compression", compression), ("decoded", decoded), ("decodeError", failure)]
  }

  private static func plain(_ data: [UInt8]?) -> [(key: String, value: JSON)] {
    JSON.encoded(data) + [("form", .string(Form(data).rawValue))]
  }

  /// Why data cannot be decompressed.
  static func text(of failure: ValueCompression.Failure) -> String {
    switch failure {
    case .damaged: "the data looks compressed and is damaged"
    case .tooLarge: "the data decompresses to more than \(WebLimits.decodedBytes >> 20) MiB"
    case .damagedOrTooLarge:
      "the data looks compressed, and is damaged or decompresses to more than \(WebLimits.decodedBytes >> 20) MiB"
    }
  }
}
