package import ZnodeFormats
package import ZooKeeperClient
package import ZooKeeperProtocol

/// What a command has to say, before anyone decides how it looks.
///
/// Commands return these; the renderers in `Render/` turn them into text, JSON, or zkCli.sh's text.
package enum CommandResult: Hashable, Sendable {
  /// The data of a znode (`get`); `showsStat` asks for the stat as well, `form` for another look of the bytes.
  case data(path: String, data: [UInt8]?, stat: Stat, showsStat: Bool, form: DataForm = .plain)
  /// The names of the children (`ls`), sorted; the stat where asked for.
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
  /// The answer of `exists`; nil is no.
  case existence(path: String, Stat?)
  case acl(path: String, [ACL], stat: Stat?)
  /// The real path of a new znode; the stat where asked for.
  case created(path: String, stat: Stat?)
  /// A write that succeeded (`set`, `setAcl`); the stat where asked for.
  case changed(path: String, stat: Stat?)
  /// A delete that succeeded, and how many znodes went.
  case deleted(path: String, count: Int)
  /// What a delete would do (`deleteall --dry-run`).
  case wouldDelete(path: String)
  case synced(path: String)
  case identities([ClientInfo])
  case ephemerals([String])
  case count(path: String, Int)
  case quota(path: String, limits: QuotaLimits, usage: QuotaLimits)
  /// The ensemble's configuration; `clientOnly` asks for the connect string alone.
  case config(text: String, stat: Stat?, clientOnly: Bool)
  /// The configuration after a reconfig.
  case reconfigured(text: String, stat: Stat?)
  /// What became of each operation of a multi.
  case multi([MultiStep])
  /// A watch event, or a change of the session's state.
  case event(WatchEvent)
  /// `history`: number and line.
  case history([HistoryEntry])
  /// A setting and its value: `printwatches is on`.
  case setting(name: String, value: String)
  /// What a command of the coordination family says.
  case recipe(RecipeResult)
  /// What a command about whole subtrees says.
  case tree(TreeResult)
  /// What a command about the past says.
  case past(HistoryResult)
  /// What a command about the parts of one value says.
  case value(ValueResult)
  /// A result of the simplest form.
  case record(Record)
  /// Results of the simplest form that people read as a table.
  case table(RecordTable)
  /// The servers of a sandbox (`local status`).
  case members([LocalServer])
  /// Help, version, a path: text that is the answer.
  case text(String)
  /// A message besides the answer, for stderr; only printed with `--verbose`.
  case remark(String)
  /// More is used of a quota than it now allows: a warning.
  case quotaExceeded(String)
  /// A warning, for stderr; silent under `quiet`.
  case warning(String)
}

/// How `get` shows bytes.
package enum DataForm: Hashable, Sendable {
  /// As they are.
  case plain
  /// In base64 (`get -b`).
  case base64
  /// In hexadecimal beside text, boxed (`get -x`).
  case hexDump
}

/// A row of `ls -l`.
package struct ListingEntry: Hashable, Sendable {
  /// The name, or in a recursive listing the path.
  package var name: String
  package var stat: Stat
  /// Whether its size is for people, in KiB and MiB.
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

/// One operation of a multi: what was asked and what came of it.
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
