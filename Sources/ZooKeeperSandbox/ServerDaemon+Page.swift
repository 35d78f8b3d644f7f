package import ZooKeeperServer

extension ServerDaemon {
  /// What a configuration says of the page for browsers.
  package typealias Page = ServerConfiguration.Web

  /// The page; nil if the server shows none.
  package var page: Page? { configuration.web.isEnabled ? configuration.web : nil }
}
