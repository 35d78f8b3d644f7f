public import Jute

/// An identity that a client has proved, in one scheme. A connection can have several, and always has its address.
///
/// *Source*: Jute record `org.apache.zookeeper.data.Id`.
public struct Identity: JuteRecord, Hashable, Sendable {
  /// The authentication scheme, such as `ip` or `digest`.
  public var scheme: String
  /// What was proved: an address, or a user with the hash of the password.
  public var id: String

  public init(scheme: String, id: String) {
    self.scheme = scheme
    self.id = id
  }

  /// Decodes the fields in wire order; null is empty.
  public init(from reader: inout JuteReader) throws(JuteError) {
    scheme = try reader.readOptionalString() ?? ""
    id = try reader.readOptionalString() ?? ""
  }

  public func encode(into writer: inout JuteWriter) {
    writer.writeString(scheme)
    writer.writeString(id)
  }
}
