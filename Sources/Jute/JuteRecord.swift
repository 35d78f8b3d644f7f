/// A type with a fixed sequence of fields on the wire.
public protocol JuteRecord {
  /// Decodes the fields in wire order, leaving the reader behind the last one.
  ///
  /// - Throws: `JuteError` when the bytes are not such a record.
  init(from reader: inout JuteReader) throws(JuteError)

  /// Appends the fields in wire order.
  func encode(into writer: inout JuteWriter)
}

extension JuteRecord {
  /// Decodes a record from an array.
  ///
  /// - Parameter allowingTrailingBytes: whether bytes behind the record are ignored. Servers do so
  ///   (`ClientProtocol` 1.1); a test of an encoder should not.
  @inlinable
  public init(decoding bytes: [UInt8], allowingTrailingBytes: Bool = false) throws(JuteError) {
    let result = bytes.withUnsafeBytes { raw -> Result<Self, JuteError> in
      var reader = JuteReader(raw)
      do throws(JuteError) {
        let record = try Self(from: &reader)
        if !allowingTrailingBytes { try reader.finish() }
        return .success(record)
      } catch {
        return .failure(error)
      }
    }
    self = try result.get()
  }

  /// The record's bytes, without a frame length.
  @inlinable
  public var encoded: [UInt8] {
    // Enough for most, which so need one piece of memory and not several in turn.
    var writer = JuteWriter(reservingBytes: 112)
    encode(into: &writer)
    return writer.bytes
  }
}
