package import ZnodeFormats
package import ZooKeeperClient
package import ZooKeeperProtocol

/// A result of a command, independent of the output format.
///
/// Commands emit these, and the renderers in `Render/` convert them to text, JSON or zkCli.sh's text.
package enum CommandResult: Hashable, Sendable {
  /// The data of a znode (`get`); `showsStat` includes the stat, and `form` is the representation of the bytes.
  case data(path: String, data: [UInt8]?, stat: Stat, showsStat: Bool, form: DataForm = .plain)
  /// The sorted names of the children (`ls`); the stat if requested.
  case children(path: String, names: [String], stat: Stat?)
  /// One znode of a long listing (`ls -l`).
  case entry(ListingEntry)
  /// The name of one child (`ls -0`, `ls --sort`).
  case name(String, endsWithNull: Bool)
  /// The line above the list of one of several znodes.
  case heading(path: String, isFirst: Bool)
  /// One znode of a recursive listing (`ls -R`).
  case path(String)
  case stat(path: String, Stat)
  /// The answer of `exists`; nil if the znode does not exist.
  case existence(path: String, Stat?)
  case acl(path: String, [ACL], stat: Stat?)
  /// The actual path of a new znode; the stat if requested.
  case created(path: String, stat: Stat?)
  /// A write that succeeded (`set`, `setAcl`); the stat if requested.
  case changed(path: String, stat: Stat?)
  /// A delete that succeeded, and the number of deleted znodes.
  case deleted(path: String, count: Int)
  /// What a delete would do (`deleteall --dry-run`).
  case wouldDelete(path: String)
  case synced(path: String)
  case identities([ClientInfo])
  case ephemerals([String])
  case count(path: String, Int)
  case quota(path: String, limits: QuotaLimits, usage: QuotaLimits)
  /// The ensemble's configuration; with `clientOnly`, only the connect string.
  case config(text: String, stat: Stat?, clientOnly: Bool)
  /// The configuration after a reconfig.
  case reconfigured(text: String, stat: Stat?)
  /// The result of each operation of a multi.
  case multi([MultiStep])
  /// A watch event, or a change of the session's state.
  case event(WatchEvent)
  /// `history`: number and line.
  case history([HistoryEntry])
  /// A setting and its value: `printwatches is on`.
  case setting(name: String, value: String)
  /// A result of a recipe.
  case recipe(RecipeResult)
  /// A result of a command about whole subtrees.
  case tree(TreeResult)
  /// A result of a command about the past.
  case past(HistoryResult)
  /// A result of a command about the parts of one value.
  case value(ValueResult)
  /// A record of named fields.
  case record(Record)
  /// Records that are printed to people as a table.
  case table(RecordTable)
  /// The servers of a sandbox (`local status`).
  case members([LocalServer])
  /// A text that is the answer, such as help, a version or a path.
  case text(String)
  /// A message in addition to the answer, for stderr; only printed with `--verbose`.
  case remark(String)
  /// A warning that the usage exceeds the new quota.
  case quotaExceeded(String)
  /// A warning, for stderr; suppressed by `--quiet`.
  case warning(String)
}

/// The representation of bytes by `get`.
package enum DataForm: Hashable, Sendable {
  /// As they are.
  case plain
  /// In base64 (`get -b`).
  case base64
  /// In hexadecimal beside text, in a box (`get -x`).
  case hexDump
}

/// A row of `ls -l`.
package struct ListingEntry: Hashable, Sendable {
  /// The name, or the path in a recursive listing.
  package var name: String
  package var stat: Stat
  /// Whether its size is shown in KiB and MiB.
  package var isHuman: Bool
  /// Whether the session that owns an ephemeral znode is shown.
  package var showsOwner: Bool

  package init(name: String, stat: Stat, isHuman: Bool = false, showsOwner: Bool = false) {
    self.name = name
    self.stat = stat
    self.isHuman = isHuman
    self.showsOwner = showsOwner
  }
}

/// One operation of a multi and its result.
package struct MultiStep: Hashable, Sendable {
  /// The operation's name: `create`, `set`, `delete`, `check`.
  package var operation: String
  package var path: String
  package var result: MultiResult

  package init(operation: String, path: String, result: MultiResult) {
    self.operation = operation
    self.path = path
    self.result = result
  }
}

/// A line of the `history` command.
package struct HistoryEntry: Hashable, Sendable {
  package var number: Int
  package var line: String

  package init(number: Int, line: String) {
    self.number = number
    self.line = line
  }
}
