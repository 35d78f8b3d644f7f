import ZooKeeperClient

extension CommandContext {
  /// Runs the command on a session.
  func run(_ client: ZooKeeperClient) async throws -> ExitCode {
    switch invocation.spec.id {
    case .ls: try await list(client)
    case .get: try await get(client)
    case .set: try await set(client)
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
    case .addauth, .printwatches, .history, .redo, .connect, .close, .version, .help, .quit, .cd, .pwd, .server, .local:
      preconditionFailure("\(invocation.spec.name) is the shell session's own command")
    }
  }
}
