/// The commands, each named by who runs it: a new one must be put somewhere, and that place must run it.
package enum CommandID: Hashable, Sendable {
  /// Run on a session with the servers.
  case client(ClientCommand)
  /// Run on a session too; made of many requests that coordinate several processes.
  case recipe(RecipeCommand)
  /// Asks servers one by one, and opens sessions itself where it needs any.
  case monitor(MonitorCommand)
  /// Run by the shell itself, which opens a session only if it needs one.
  case shell(ShellCommand)
  /// Run on files of this machine, without a session.
  case offline(OfflineCommand)
  /// Run by the program in place of a shell.
  case server
  /// Serves a page, in place of a shell.
  case web

  /// The name, as zkCli.sh writes it where it has the command.
  package var name: String {
    switch self {
    case .client(let command): command.rawValue
    case .recipe(let command): command.rawValue
    case .monitor(let command): command.rawValue
    case .shell(let command): command.rawValue
    case .offline(let command): command.rawValue
    case .server: "server"
    case .web: "web"
    }
  }

  /// Whether the command is done after one round trip, or without any; anything else may take long.
  var isShort: Bool {
    switch self {
    case .client(let command):
      switch command {
      case .ls, .get, .set, .create, .delete, .stat, .exists, .getAcl, .setAcl, .whoami, .multi: true
      default: false
      }
    case .shell(let command): command == .cd || command == .pwd
    case .recipe, .monitor, .offline, .server, .web: false
    }
  }
}

extension CommandID: CaseIterable {
  package static let allCases: [CommandID] =
    ClientCommand.allCases.map(CommandID.client) + RecipeCommand.allCases.map(CommandID.recipe)
    + MonitorCommand.allCases.map(CommandID.monitor) + ShellCommand.allCases.map(CommandID.shell)
    + OfflineCommand.allCases.map(CommandID.offline) + [.server, .web]
}

/// The commands that are requests on a session.
package enum ClientCommand: String, CaseIterable, Hashable, Sendable {
  case ls, get, set, create, delete, deleteall, stat, exists, sync, getAcl, setAcl, whoami, getEphemerals
  case getAllChildrenNumber, setquota, listquota, delquota, config, reconfig, addWatch, removewatches, multi
  case edit
  case tree, find, grep, du, cp, mv, export, importTree = "import", diff, apply, mirror
  case undelete
}

/// The commands that coordinate processes.
package enum RecipeCommand: String, CaseIterable, Hashable, Sendable {
  case lock, elect, wait, watch, barrier, queue, group, rendezvous, counter, id, commit
}

/// The commands that ask what the servers know about themselves.
package enum MonitorCommand: String, CaseIterable, Hashable, Sendable {
  case health, ready, members, sessions, who, watchers, top, latency, bench, metrics, word, admin, snapshot
}

/// The commands that are about the shell's own state.
package enum ShellCommand: String, CaseIterable, Hashable, Sendable {
  case acl, addauth, cd, close, clusters, connect, help, history, local, printwatches, pwd, quit, redo
  case `repeat`, time, use, version
}

/// The commands that read the files of a server.
package enum OfflineCommand: String, CaseIterable, Hashable, Sendable {
  case snap, log
}
