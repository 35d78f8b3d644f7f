/// The commands, grouped by the code that runs them. The compiler makes sure that each command is in a group and is run
/// there.
package enum CommandID: Hashable, Sendable {
  /// Run on a session with the servers.
  case client(ClientCommand)
  /// Also run on a session; consists of many requests that coordinate several processes.
  case recipe(RecipeCommand)
  /// Asks single servers, and opens sessions itself if it needs any.
  case monitor(MonitorCommand)
  /// Run by the shell itself, which opens a session only if it needs one.
  case shell(ShellCommand)
  /// Run on local files, without a session.
  case offline(OfflineCommand)
  /// Run by the program instead of a shell.
  case server
  /// Serves a page, instead of a shell.
  case web

  /// The name; that of zkCli.sh if it has the command.
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

  /// Whether the command needs at most one round trip; any other command can take long.
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

/// The commands that ask servers about their state.
package enum MonitorCommand: String, CaseIterable, Hashable, Sendable {
  case health, ready, members, sessions, who, watchers, top, latency, bench, metrics, word, admin, snapshot
}

/// The commands that concern the shell's own state.
package enum ShellCommand: String, CaseIterable, Hashable, Sendable {
  case acl, addauth, cd, close, clusters, connect, help, history, local, printwatches, pwd, quit, redo
  case `repeat`, time, use, version
}

/// The commands that read the files of a server.
package enum OfflineCommand: String, CaseIterable, Hashable, Sendable {
  case snap, log
}
