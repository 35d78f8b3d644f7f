/// A type with a fixed sequence of fields on the wire.
///
/// Jute has no tags and no field numbers: the fields follow each other, and a reader must know the record's type. A
/// record is therefore never extended in the middle, and a field that newer servers added at the end is read only if
/// there are bytes left for it.
public protocol JuteRecord {
  /// Decodes the fields in wire order, and leaves the reader after the last one.
  ///
  /// - Throws: `JuteError` if the bytes are not such a record.
  init(from reader: inout JuteReader) throws(JuteError)

  func encode(into writer: inout JuteWriter)
}

extension JuteRecord {
  /// Decodes a record from an array.
  ///
  /// - Parameter allowingTrailingBytes: whether bytes after the record are ignored. Servers ignore them
  ///   (`ClientProtocol` 1.1); a test of an encoder should not.
  /// - Throws: `JuteError` if the bytes are not such a record, or if bytes are left and are not allowed.
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
    // Most records fit, and then need one allocation instead of several while the array grows.
    var writer = JuteWriter(reservingBytes: 112)
    encode(into: &writer)
    return writer.takeBytes()
  }
}
