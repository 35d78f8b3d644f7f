import Foundation
import TestKit
import Testing

/// `--pipeline`: writes of a script that travel together, with the same outcome in the same order.
@Suite(.timeLimit(.minutes(10)))
struct PipelineTests {
  /// What a script comes to without and with pipelining, on znodes of its own each time.
  private func compare(
    _ lines: [String], _ options: [String] = [], then look: String = "ls -R ~", as label: String
  ) async throws {
    let zkcli = Zkcli(server: try await ZkcliServer.shared().connectString)
    var answers: [[String]] = []
    for pipeline in [[], ["--pipeline", "4"], ["--pipeline", "1000"]] {
      let path = uniquePath("pipeline")
      let text = (["create ~"] + lines).map { $0.replacing("~", with: path) + "\n" }.joined()
      let run = try await zkcli.run(pipeline + options, input: [UInt8](text.utf8))
      let tree = try await zkcli.script(look.replacing("~", with: path) + "\n").output
      answers.append(
        ["\(run.exitStatus ?? -1)", run.output, run.errorOutput, tree].map { text in
          // Times and zxids are each run's own.
          text.replacing(path, with: "~").replacing(/"stat":\{[^}]*\}/, with: "")
        })
    }
    for answer in answers.dropFirst() { #expect(answer == answers[0], "\(label)") }
  }

  @Test func theOutcomeIsTheSame() async throws {
    let many = (1...20).map { "create ~/n\($0) v\($0)" }
    for options in [[], ["-k"], ["-o", "json", "-k", "-v"]] {
      try await compare(
        many + ["get ~/n7", "delete ~/n8", "set ~/n9 x", "ls ~"], options, as: "all succeed \(options)")
      try await compare(
        many + ["create ~/n3 again", "create ~/after", "set ~/n1 x", "create ~/n4", "delete ~/none", "create ~/end"],
        options, as: "some fail \(options)")
      try await compare(
        ["create ~/a", "set -v 7 ~/a x", "create ~/a/b/c", "nonsense", "create ~/a/b", "create -e ~/a/e", "set ~/a"],
        options, as: "usage and versions \(options)")
      try await compare(
        [
          "create -s ~/q- x", "create -s ~/q- x", "create -c ~/c", "# no", "",
          "delete -v 0 ~/q-0000000000", "set ~/c <<EOF", "exit 3",
        ],
        options, as: "kinds \(options)")
    }
    try await compare(["set ~ 'two", "lines'", "set ~ \"a\\", "b\"", "get ~"], as: "quotes over lines")
    try await compare(["create ~/x", "create ~/y", "exit 3", "create ~/z"], as: "the script ends")
    try await compare(["create ~/x v ip:1.2.3.4:z", "create ~/y"], ["-k"], as: "an ACL that cannot be read")
  }

  @Test func largeValuesAreSplitOverSeveralRequests() async throws {
    let value = String(repeating: "x", count: 100_000)
    try await compare((1...20).map { "create ~/n\($0) \(value)" }, as: "2 MB")
  }

  @Test func anAnswerIsGivenBeforeTheNextCommandIsWritten() async throws {
    let zkcli = Zkcli(server: try await ZkcliServer.shared().connectString)
    let path = uniquePath("coprocess")
    let command = try zkcli.start("--pipeline", "100")
    for name in [path, "\(path)/a", "\(path)/b"] {
      try command.write("create \(name)\n")
      #expect(try await command.nextLine() == name)
    }
    command.closeInput()
    #expect(try await command.waitForEnd(within: .seconds(90)) == .exited(0))
  }

  @Test func manyWritesTakeFewRoundTrips() async throws {
    let server = try await ZkcliServer.start()
    let zkcli = Zkcli(server: server.connectString)
    let lines = ["create /p"] + (0..<2000).map { "create /p/\($0) v" }
    let run = try await zkcli.run(["--pipeline", "500"], input: [UInt8]((lines.joined(separator: "\n") + "\n").utf8))
    #expect(run.exitStatus == 0)
    #expect(run.output.split(separator: "\n").count == 2001)
    let zxid = try jsonObject(try await zkcli("stat", "/p/1999", "-o", "json").output)["stat"] as? [String: Any]
    let number = try #require(Int((zxid?["czxid"] as? String ?? "").dropFirst(2), radix: 16))
    #expect(number < 50, "\(number) transactions")
    try await server.kill()
  }
}
