import Foundation
import Testing
import ZooKeeperProtocol

/// Which sets of servers are quorums, from the tables in `Quorums`.
///
/// A case lists the members, groups and weights, and then every smallest quorum, a digit for each server.
@Suite struct QuorumTableTests {
  private struct Case: CustomStringConvertible {
    var lines: [String] = []
    var observers: Set<Int> = []
    var groups: [[Int]] = []
    var weights: [(id: Int, weight: Int)] = []
    var voters: Set<Int> = []
    var quorums: Set<Set<Int>> = []
    var description: String { lines.joined(separator: "; ") }

    func configuration() throws -> QuorumConfiguration {
      var text: [String] = []
      for id in voters.union(observers).sorted() {
        text.append("server.\(id)=127.0.0.1:\(id):\(id + 10):\(observers.contains(id) ? "observer" : "participant")")
      }
      for (index, group) in groups.enumerated() {
        text.append("group.\(index + 1)=\(group.map(String.init).joined(separator: ":"))")
      }
      for (id, weight) in weights { text.append("weight.\(id)=\(weight)") }
      return try QuorumConfiguration(parsing: text.joined(separator: "\n"))
    }
  }

  private func cases(_ name: String) throws -> [Case] {
    let file = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Quorums/\(name).txt")
    var cases: [Case] = []
    var current = Case()
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") where !line.hasPrefix("#") {
      current.lines.append(String(line))
      let words = line.split(separator: " ")
      let numbers = words.dropFirst().compactMap { Int($0) }
      switch words[0] {
      case "voters": current.voters = Set(numbers)
      case "observers": current.observers = Set(numbers)
      case "group": current.groups.append(numbers)
      case "weight": current.weights.append((numbers[0], numbers[1]))
      case "quorums":
        current.quorums = Set(words.dropFirst().map { Set($0.compactMap(\.wholeNumberValue)) })
        cases.append(current)
        current = Case()
      default: Issue.record("\(name).txt: \(line)")
      }
    }
    return cases
  }

  private func subsets(_ ids: Set<Int>) -> [Set<Int>] {
    ids.reduce([[]]) { sets, id in sets + sets.map { $0.union([id]) } }
  }

  @Test(arguments: ["majority", "hierarchical"])
  func smallestQuorumsAreThoseOfTheTable(name: String) throws {
    let cases = try cases(name)
    #expect(cases.count >= 7)
    for entry in cases {
      let configuration = try entry.configuration()
      let quorums = Set(
        subsets(entry.voters.union(entry.observers)).filter { set in
          configuration.isQuorum { set.contains(Int($0.rawValue)) }
        })
      let smallest = quorums.filter { set in set.allSatisfy { !quorums.contains(set.subtracting([$0])) } }
      #expect(smallest == entry.quorums, "\(entry)")
      // What consensus rests on: any two quorums share a server, and a quorum with more servers is one still.
      for set in quorums {
        for other in quorums { #expect(!set.isDisjoint(with: other), "\(entry): \(set), \(other)") }
        for id in entry.voters { #expect(quorums.contains(set.union([id])), "\(entry): \(set) and \(id)") }
      }
    }
  }

  @Test(arguments: ["9223372036854775807", "2147483648", "-1", "9223372036854775808", ""])
  func weightsHaveARange(weight: String) {
    let text =
      "server.1=a:1:2:participant\nserver.2=b:1:2:participant\ngroup.1=1:2\nweight.1=\(weight)\nweight.2=\(weight)"
    #expect(throws: QuorumConfigurationError.self) { try QuorumConfiguration(parsing: text) }
  }

  @Test func heaviestWeightsDoNotOverflow() throws {
    let ids = 1...60
    let servers = ids.map { "server.\($0)=127.0.0.1:\($0):\($0 + 100):participant" }
    let weights = ids.map { "weight.\($0)=\(Int32.max)" }
    let group = "group.1=" + ids.map(String.init).joined(separator: ":")
    let configuration = try QuorumConfiguration(parsing: (servers + weights + [group]).joined(separator: "\n"))
    #expect(configuration.isQuorum { $0.rawValue <= 31 } && !configuration.isQuorum { $0.rawValue <= 30 })
  }
}
