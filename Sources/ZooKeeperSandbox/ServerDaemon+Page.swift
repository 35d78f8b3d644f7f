package import ZooKeeperServer

extension ServerDaemon {
  /// The settings of the page for browsers.
  package typealias Page = ServerConfiguration.Web

  /// The page; nil if the server shows none.
  package var page: Page? { configuration.web.isEnabled ? configuration.web : nil }
}
