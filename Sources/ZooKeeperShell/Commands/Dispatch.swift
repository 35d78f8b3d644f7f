import ZooKeeperClient

extension CommandContext {
  /// Runs one of the commands that are requests on a session.
  func run(_ command: ClientCommand, _ client: ZooKeeperClient) async throws -> ExitCode {
    switch command {
    case .ls: try await list(client)
    case .get: try await get(client)
    case .set: try await set(client)
    case .edit: try await edit(client)
    case .create: try await create(client)
    case .delete: try await delete(client)
    case .deleteall: try await deleteAll(client)
    case .stat: try await stat(client)
    case .exists: try await exists(client)
    case .sync: try await sync(client)
    case .getAcl: try await getACL(client)
    case .setAcl: try await setACL(client)
    case .whoami: try await whoAmI(client)
    case .getEphemerals: try await listEphemerals(client)
    case .getAllChildrenNumber: try await countDescendants(client)
    case .setquota: try await setQuota(client)
    case .listquota: try await listQuota(client)
    case .delquota: try await deleteQuota(client)
    case .config: try await config(client)
    case .reconfig: try await reconfig(client)
    case .addWatch: try await addWatch(client)
    case .removewatches: try await removeWatches(client)
    case .multi: try await multi(client)
    case .tree: try await tree(.live(client))
    case .find: try await find(.live(client))
    case .grep: try await grep(.live(client))
    case .du: try await diskUsage(.live(client))
    case .cp: try await copy(client)
    case .mv: try await move(client)
    case .export: try await export(client)
    case .importTree: try await importTree(client)
    case .diff: try await diff(client)
    case .apply: try await apply(client)
    case .mirror: try await mirror(client)
    case .undelete: try await undelete(client)
    }
  }

  /// Runs one of the commands that read files of a server.
  func run(_ command: OfflineCommand) async throws -> ExitCode {
    switch command {
    case .snap: try await snap()
    case .log: try await log()
    }
  }

  /// Runs one of the commands that coordinate processes.
  func run(_ command: RecipeCommand, _ client: ZooKeeperClient) async throws -> ExitCode {
    switch command {
    case .lock: try await lock(client)
    case .elect: try await elect(client)
    case .wait: try await wait(client)
    case .watch: try await watch(client)
    case .barrier: try await barrier(client)
    case .queue: try await queue(client)
    case .group: try await group(client)
    case .rendezvous: try await rendezvous(client)
    case .counter: try await counter(client)
    case .id: try await identifier(client)
    case .commit: try await commit(client)
    }
  }
}
