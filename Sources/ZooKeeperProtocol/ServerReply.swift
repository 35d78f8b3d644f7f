public import Jute

/// The body of a successful reply. Several operations share a record; `init(to:from:)` says which has which.
public enum ServerReply: Hashable, Sendable {
  case empty
  case path(PathResponse)
  case created(Create2Response)
  case stat(Stat)
  case data(GetDataResponse)
  case acl(GetACLResponse)
  case strings(StringsResponse)
  case children(GetChildren2Response)
  case multi(MultiResponse)
  case int(IntResponse)
  case identities(WhoAmIResponse)
  case token(SASLToken)
}

extension ServerReply {
  /// Decodes the body of the reply to `opCode`.
  ///
  /// - Throws: `JuteError` if the bytes are not that operation's answer.
  public init(to opCode: OpCode, from reader: inout JuteReader) throws(JuteError) {
    switch opCode {
    case .create, .sync: self = .path(try PathResponse(from: &reader))
    case .create2, .createContainer, .createTTL: self = .created(try Create2Response(from: &reader))
    case .exists, .setData, .setACL: self = .stat(try Stat(from: &reader))
    case .getData, .reconfig: self = .data(try GetDataResponse(from: &reader))
    case .getACL: self = .acl(try GetACLResponse(from: &reader))
    case .getChildren, .getEphemerals: self = .strings(try StringsResponse(from: &reader))
    case .getChildren2: self = .children(try GetChildren2Response(from: &reader))
    case .multi, .multiRead: self = .multi(try MultiResponse(from: &reader))
    case .getAllChildrenNumber, .addWatch: self = .int(try IntResponse(from: &reader))
    case .whoAmI: self = .identities(try WhoAmIResponse(from: &reader))
    case .sasl: self = .token(try SASLToken(from: &reader))
    case .delete, .check, .ping, .checkWatches, .removeWatches, .auth, .setWatches, .setWatches2, .closeSession,
      .notification, .createSession, .deleteContainer, .error:
      self = .empty
    }
  }

  /// Appends the body.
  public func encode(into writer: inout JuteWriter) {
    switch self {
    case .empty: break
    case .path(let body): body.encode(into: &writer)
    case .created(let body): body.encode(into: &writer)
    case .stat(let body): body.encode(into: &writer)
    case .data(let body): body.encode(into: &writer)
    case .acl(let body): body.encode(into: &writer)
    case .strings(let body): body.encode(into: &writer)
    case .children(let body): body.encode(into: &writer)
    case .multi(let body): body.encode(into: &writer)
    case .int(let body): body.encode(into: &writer)
    case .identities(let body): body.encode(into: &writer)
    case .token(let body): body.encode(into: &writer)
    }
  }
}
