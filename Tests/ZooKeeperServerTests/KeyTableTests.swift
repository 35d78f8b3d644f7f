import Foundation
import TestKit
import Testing
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// What is said of each key is what becomes of it.
@Suite struct KeyTableTests {
  private static let keys = KeyTable.subjects.flatMap(\.keys)
  /// Names that stand for several keys, one of these, and a value that each takes.
  private static let samples = [
    "server.N": ("server.1", "h:1:2"), "group.N": ("group.1", "1"), "weight.N": ("weight.1", "1"),
    "authProvider.N": ("authProvider.1", "a.DigestAuthenticationProvider"), "superUser.N": ("superUser.1", "x"),
    "ssl.quorum.*": ("ssl.quorum.clientAuth", "none"), "web.ssl.*": ("web.ssl.clientAuth", "none"),
    "KeyAuthenticationProvider.*": ("KeyAuthenticationProvider.a", "1"),
  ]

  /// What a configuration with this key and value comes to.
  private func outcome(_ key: String, _ value: String) -> (faults: [String], warnings: [String], unknown: [String]) {
    do throws(ConfigurationError) {
      let file = try ConfigurationFile(parsing: "\(key)=\(value)\ndataDir=/d\n", file: "f")
      return ([], file.warnings.map(\.message), file.unknownKeys.map(\.message))
    } catch {
      return (error.problems.map(\.message), [], [])
    }
  }

  @Test(arguments: keys.map(\.name))
  func eachKeyIsTreatedAsTheTableSays(name: String) throws {
    let key = try #require(KeyTable.key(name))
    let sample = Self.samples[name]
    let (spelt, value) = (sample?.0 ?? name, sample?.1 ?? "true")
    let found = outcome(spelt, value)
    #expect(found.unknown.isEmpty, "\(found)")
    switch key.treatment {
    case .ineffective:
      #expect(found.faults.isEmpty && found.warnings == ["the key \(name) has no effect here: \(key.text)"], "\(found)")
    case .needless: #expect(found.faults.isEmpty && found.warnings.isEmpty, "\(found)")
    case .refused: #expect(!found.faults.isEmpty, "\(found)")
    case .honoured:
      // A value that means nothing for it shows that the key is read: it is a fault or a warning, if not every text is
      // a value. With neither, no one may say that it has no effect.
      for text in [value, "\u{1}"] {
        let found = outcome(spelt, text)
        #expect(!(found.faults + found.warnings).contains { $0.contains("has no effect here") }, "\(found)")
      }
    }
  }

  /// Keys in the sources and in the guide of Apache's 3.9.5 that are a server's.
  @Test func allKeysOfApachesAreThere() throws {
    let names = try Repository.text("Tests/ZooKeeperServerTests/ApacheKeys.txt").split(separator: "\n").map(String.init)
    #expect(names.count > 200)
    #expect(names.filter { KeyTable.key($0) == nil && !$0.hasPrefix("ssl.quorum.") } == [])
  }

  @Test(arguments: [
    ("tickTim", "tickTime"), ("ClientPort", "clientPort"), ("ssl.keystore.location", "ssl.keyStore.location"),
    ("audit.enabled", "audit.enable"), ("maxClientCnxn", "maxClientCnxns"),
  ])
  func aNearNameIsFound(typed: String, meant: String) { #expect(KeyTable.nearest(to: typed)?.name == meant) }

  @Test func noNameIsNearToOthers() { #expect(KeyTable.nearest(to: "somethingElseAltogether") == nil) }

  /// With ZKCLI_RECORD=1 this writes the page, and fails, so that no run that records passes for a test.
  @Test func pageListsTheTable() throws {
    let path = "Sources/ZooKeeperServer/ZooKeeperServer.docc/Configuration.md"
    guard ProcessInfo.processInfo.environment["ZKCLI_RECORD"] == "1" else {
      let text = try Repository.text(path)
      #expect(text == page, "\(path) is stale: run with ZKCLI_RECORD=1 and review the change")
      return
    }
    try page.write(to: Repository.url(path), atomically: true, encoding: .utf8)
    Issue.record("\(path) was recorded")
  }

  private var page: String {
    var page = """
      # Configuration

      Every key of `zoo.cfg` that Apache ZooKeeper 3.9 or this server knows, and what becomes of it here.

      ## Overview

      A key means what it means to Apache's server. One that asks for protection which this server does not have is a
      fault, with which it does not start; one about something that it lacks is accepted with a warning; one for which
      there is nothing to do is accepted. `zkcli server check` says all of that of a file.

      Keys are as in the file. As system properties, most have the prefix `zookeeper.`.

      """
    for (title, keys) in KeyTable.subjects {
      page += "\n## \(title)\n\n| key | here | what it is |\n| --- | --- | --- |\n"
      for key in keys {
        let here =
          switch key.treatment {
          case .honoured: key.traits.contains(.own) ? "only here" : "the same"
          case .needless: "nothing to do"
          case .ineffective: "no effect"
          case .refused: "refused"
          }
        let isClause = key.treatment == .ineffective
        let text = isClause ? key.text.prefix(1).uppercased() + key.text.dropFirst() + "." : key.text
        page += "| `\(key.name)` | \(here) | \(text) |\n"
      }
    }
    return page
  }
}
