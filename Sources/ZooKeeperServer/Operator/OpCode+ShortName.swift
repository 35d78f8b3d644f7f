import ZooKeeperProtocol

extension OpCode {
  /// The operation's name in `cons`.
  ///
  /// *Source*: `org.apache.zookeeper.server.Request.op2String`, cut as `ClientProtocol` 7.1 lists.
  var shortName: String {
    switch self {
    case .createSession: "SESS"
    case .ping: "PING"
    case .create, .create2, .createTTL, .createContainer: "CREA"
    case .delete, .deleteContainer: "DELE"
    case .exists: "EXIS"
    case .getData: "GETD"
    case .setData: "SETD"
    case .getACL: "GETA"
    case .setACL: "SETA"
    case .getChildren, .getChildren2: "GETC"
    case .getAllChildrenNumber: "GETACN"
    case .sync: "SYNC"
    case .multi: "MULT"
    case .multiRead: "MLTR"
    case .reconfig: "RECO"
    case .check: "CHEC"
    case .setWatches: "SETW"
    case .setWatches2: "STW2"
    case .addWatch: "ADDW"
    case .checkWatches: "CHKW"
    case .removeWatches: "REMW"
    case .getEphemerals: "GETE"
    case .whoAmI: "HOMI"
    case .closeSession: "CLOS"
    case .auth, .sasl, .notification, .error: "NA"
    }
  }
}
