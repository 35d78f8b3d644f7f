/// Why a sequence of bytes is not the record that was asked for.
///
/// Every decoder of this module is total: any bytes give a value or this error, never a trap. The
/// error carries the offset at which decoding stopped, so that a dump of the frame can be read with it.
public struct JuteError: Error, Hashable, Sendable {
  /// The closed list of ways in which decoding fails.
  public enum Code: Hashable, Sendable {
    /// The bytes ended before the value did; `missingBytes` more were needed.
    case truncated(missingBytes: Int)
    /// A length or count was negative, and not the -1 that means null.
    case negativeLength(Int)
    /// A length was over the limit that the caller had set.
    case tooLarge(lengthBytes: Int, limitBytes: Int)
    /// A value that may not be null was null.
    case unexpectedNull
    /// A number that must be one of a list was not.
    case unknownValue(Int)
    /// The record ended before the bytes did.
    case trailingBytes(Int)
  }

  /// What was wrong.
  public let code: Code

  /// Bytes from the start of the frame's payload to where decoding stopped.
  public let offset: Int

  public init(_ code: Code, offset: Int) {
    self.code = code
    self.offset = offset
  }
}

extension JuteError: CustomStringConvertible {
  public var description: String {
    switch code {
    case .truncated(let missing): "\(missing) bytes missing at offset \(offset)"
    case .negativeLength(let length): "length \(length) at offset \(offset) is negative"
    case .tooLarge(let length, let limit): "length \(length) at offset \(offset) is over the limit of \(limit) bytes"
    case .unexpectedNull: "null at offset \(offset) where a value is required"
    case .unknownValue(let value): "unknown value \(value) at offset \(offset)"
    case .trailingBytes(let count): "\(count) bytes left over at offset \(offset)"
    }
  }
}
