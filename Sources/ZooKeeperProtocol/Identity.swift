public import Jute

/// Who a client has proved to be, in one scheme.
///
/// *Source*: Jute record `org.apache.zookeeper.data.Id`.
public struct Identity: JuteRecord, Hashable, Sendable {
  public var scheme: String
  public var id: String

  /// Makes one of the given fields.
  public init(scheme: String, id: String) {
    self.scheme = scheme
    self.id = id
  }

  /// Decodes the fields in wire order; null is empty.
  public init(from reader: inout JuteReader) throws(JuteError) {
    scheme = try reader.readOptionalString() ?? ""
    id = try reader.readOptionalString() ?? ""
  }

  /// Appends the fields in wire order.
  public func encode(into writer: inout JuteWriter) {
    writer.writeString(scheme)
    writer.writeString(id)
  }
}
