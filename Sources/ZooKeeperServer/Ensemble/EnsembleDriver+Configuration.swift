import Logging
import NIOCore
import TxnLog
import Zab
import ZooKeeperProtocol

/// What changes on a member when the ensemble gets another configuration.
extension EnsembleDriver {
  /// Uses a committed configuration from now on, and keeps it in the configuration file.
  func activate(_ quorumConfiguration: QuorumConfiguration) {
    let members = quorumConfiguration.text.split(separator: "\n")
    logger.info(
      "the ensemble has changed",
      metadata: [
        "members": .array(members.map { "\($0)" }), "version": "\(Zxid(rawValue: quorumConfiguration.version))",
      ])
    election.configurationChanged(quorumConfiguration)
    quorum.configurationChanged(quorumConfiguration)
    rewriteFile(quorumConfiguration)
  }

  /// Brings `zoo.cfg` up to date. A server that was removed keeps its file: with one that does not contain it, it could
  /// not be started in order to be added again.
  private func rewriteFile(_ quorumConfiguration: QuorumConfiguration) {
    guard configuration.features.allowsReconfig, let file = configuration.file,
      quorumConfiguration.member(member.zab.id) != nil
    else { return }
    let rewrite = ConfigurationRewrite(files: runner.directory.files, path: Host.resolvedPath(file))
    do throws(FileSystemError) {
      let path = try rewrite.save(quorumConfiguration, own: member.zab.id)
      logger.info("the configuration file was rewritten", metadata: ["file": "\(file)", "members": "\(path)"])
    } catch {
      logger.warning(
        "the configuration file could not be rewritten; the server uses the copy of the members in its data directory",
        metadata: ["file": "\(file)", "reason": "\(TxnLogError(error))"])
    }
  }
}
