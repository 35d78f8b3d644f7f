import Foundation
import TestKit
import Testing

/// Values changed in an editor, by a path in JSON, and decompressed; on both servers.
@Suite(.timeLimit(.minutes(10)))
struct EditTests {
  /// A script of `/bin/sh` that is the editor: `$1` is the file, and `$n` how often it has been called.
  private func editor(_ body: String) throws -> String {
    let directory = try Scratch.directory("editor")
    try Scratch.write(
      """
      n=$(($(cat \(directory)/count 2>/dev/null || echo 0) + 1))
      echo $n > \(directory)/count
      ls -ld "$1" "$(dirname "$1")" | cut -c 1-10 >> \(directory)/log
      echo "$1" >> \(directory)/log
      cat "$1" >> \(directory)/seen.$n
      \(body)
      """, to: "\(directory)/editor")
    return directory
  }

  private func zkcli(_ kind: ServerKind, editor: String) async throws -> Zkcli {
    Zkcli(server: try await kind.connectString).with(["EDITOR": "sh \(editor)/editor", "TMPDIR": editor])
  }

  private func file(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  /// What is left of temporary files.
  private func leftovers(_ editor: String) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: editor).filter { $0.hasPrefix("zkcli") }
  }

  @Test(arguments: ServerKind.allCases) func editsAreShownAndWritten(kind: ServerKind) async throws {
    let editor = try editor(#"touch "$1~"; sed -i s/1/2/ "$1"; echo >> "$1""#)
    let zkcli = try await zkcli(kind, editor: editor)
    let path = uniquePath("edit")
    #expect(try await zkcli("create", path, "{\"a\": 1}").exitStatus == 0)
    let diff = "@@ -1 +1 @@\n-{\"a\": 1}\n\\ No newline at end of file\n+{\"a\": 2}\n\\ No newline at end of file\n"
    expect(try await zkcli("edit", "--dry-run", path), output: diff)
    expect(try await zkcli("get", path), output: "{\"a\": 1}")
    expect(try await zkcli("edit", path), output: diff)
    expect(try await zkcli("get", path), output: "{\"a\": 2}")
    expect(try await zkcli("edit", path))
    let log = try file("\(editor)/log").split(separator: "\n")
    #expect(log[0...1] == ["drwx------", "-rw-------"])
    #expect(log[2].hasSuffix("\(path.dropFirst()).json"))
    #expect(try leftovers(editor).isEmpty)
    let document = try await zkcli("-o", "json", "edit", "--editor", "sed -i s/2/3/", path)
    #expect(try jsonObject(document.output)["version"] as? Int == 2)
    #expect(try jsonObject(document.output)["changed"] as? String == path)
  }

  @Test(arguments: ServerKind.allCases) func conflictShowsBothTexts(kind: ServerKind) async throws {
    let server = try await kind.connectString
    let path = uniquePath("conflict")
    let program = try Products.executable("zkcli")
    let editor = try editor(
      """
      case $n in
      1) printf 'a\\nmine\\n' > "$1"; printf 'a\\ntheirs\\n' | '\(program)' -s \(server) set \(path) - ;;
      2) printf 'a\\nboth\\n' > "$1" ;;
      esac
      """)
    let zkcli = try await zkcli(kind, editor: editor)
    #expect(try await zkcli.script("create \(path) \"a\\nb\\n\"\n").exitStatus == 0)
    let run = try await zkcli.shell("zkcli edit \(path)")
    expect(run, output: "@@ -1,2 +1,2 @@\n a\n-theirs\n+both\n", error: "was changed by another client")
    expect(try await zkcli("get", path), output: "a\nboth\n")
    #expect(
      try file("\(editor)/seen.2") == "a\n<<<<<<< your text\nmine\n=======\ntheirs\n>>>>>>> version 1\n")
    #expect(try leftovers(editor).isEmpty)
  }

  @Test func nothingIsWrittenThatShouldNotBe() async throws {
    let broken = try editor(#"echo '{' > "$1""#)
    var zkcli = try await zkcli(.zkcli, editor: broken)
    let path = uniquePath("refused")
    #expect(try await zkcli("create", path, "{}").exitStatus == 0)
    expect(try await zkcli("edit", path), status: 4, error: "no longer JSON: line 1, column 2: expected a name")
    zkcli = zkcli.with(["VISUAL": "false"])
    expect(try await zkcli("edit", path), status: 12, error: "the editor false ended with exit code 1")
    expect(
      try await zkcli("edit", path, "--editor", "nosuchprogram"), status: 12, error: "ended with exit code 127")
    expect(try await zkcli("edit", path, "--editor", "echo '<<<<<<< x' >"), status: 4, error: "marks")
    expect(try await zkcli("edit", path + "/missing"), status: 3, error: "NoNode")
    expect(try await zkcli("get", "-s", path).self, output: try await zkcli("get", "-s", path).output)
    #expect(try await zkcli("stat", path).output.contains("dataVersion = 0\n"))
    #expect(try await zkcli.script("create \(path)/bin \"\\x00\\xff\"\n").exitStatus == 0)
    expect(try await zkcli("edit", "\(path)/bin"), status: 4, error: "the data is no text")
    expect(try await zkcli("setAcl", path, "world:anyone:ra"))
    expect(try await zkcli("edit", path, "--editor", "echo '[]' >"), status: 4, error: "NoAuth")
    expect(try await zkcli("setAcl", path, "world:anyone:cdrwa"))
    // A megabyte fits into the editor, but not into a request.
    expect(
      try await zkcli("edit", path, "--editor", "printf '\"%01100000d\"' 0 >"), status: 4, error: "TooLarge")
    #expect(try leftovers(broken).isEmpty)
  }

  @Test func aMappingStaysAMapping() async throws {
    let editor = try editor(#"cat /dev/null"#)
    let zkcli = try await zkcli(.zkcli, editor: editor)
    let path = uniquePath("yaml")
    #expect(try await zkcli.script("create \(path) \"a: 1\\nb: [x, y]\\n\"\n").exitStatus == 0)
    expect(try await zkcli("edit", path))
    #expect(try file("\(editor)/log").contains("\(path.dropFirst()).yaml\n"))
    expect(
      try await zkcli("edit", path, "--editor", "sed -i 's/1/1: 2/'"), status: 4,
      error: "no longer YAML: line 1: a second colon")
    expect(try await zkcli("edit", path, "--editor", "echo x >"), status: 4, error: "no longer a YAML mapping")
    #expect(try await zkcli("edit", path, "--editor", "sed -i s/1/2/").exitStatus == 0)
    expect(try await zkcli("get", path), output: "a: 2\nb: [x, y]\n")
    let terminal = try await Terminal.start(
      try Products.executable("zkcli"), ["edit", path, "--editor", "echo plain >"], environment: zkcli.variables)
    try await terminal.waitFor("w to write it all the same")
    try await terminal.type("w")
    try await terminal.send("Enter")
    try await terminal.waitFor("Write this to")
    try await terminal.type("y")
    try await terminal.send("Enter")
    #expect(try await terminal.waitForExit() == 0)
    expect(try await zkcli("get", path), output: "plain\n")
  }

  @Test func personIsAsked() async throws {
    let editor = try editor(#"case $n in 1) echo '[' ;; 2) echo '[1]' ;; *) echo '[2]' ;; esac > "$1""#)
    let zkcli = try await zkcli(.zkcli, editor: editor)
    let path = uniquePath("asked")
    #expect(try await zkcli("create", path, "[]").exitStatus == 0)
    let terminal = try await Terminal.start(
      try Products.executable("zkcli"), ["edit", path], environment: zkcli.variables, columns: 100)
    try await terminal.waitFor("no longer JSON")
    try await terminal.waitFor("Edit again? [Y/n")
    try await terminal.send("Enter")
    try await terminal.waitFor("+[1]")
    try await terminal.waitFor("[y/n/e]")
    try await terminal.type("e")
    try await terminal.send("Enter")
    try await terminal.waitFor("+[2]")
    expect(try await zkcli("get", path), output: "[]")
    try await terminal.type("y")
    try await terminal.send("Enter")
    try await eventually("the new value", within: .seconds(30)) { try await zkcli("get", path).output == "[2]" }
    #expect(try file("\(editor)/seen.2") == "[")
    try await eventually("no leftovers", within: .seconds(30)) { try leftovers(editor).isEmpty }
  }

  @Test(arguments: ServerKind.allCases) func partsOfJSONAreReadAndReplaced(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("json")
    let text = "{ \"n\": 1.50,\n  \"a\": [ {\"b\": \"x y\"} ] }\n"
    expect(try await zkcli("create", path, "-", input: [UInt8](text.utf8)), output: "\(path)\n")
    expect(try await zkcli("get", "--json-path", "$.a[0].b", path), output: "x y\n")
    expect(try await zkcli("get", "--json-path", "/n", path), output: "1.50\n")
    expect(try await zkcli("get", "--json-path", "$.c", path), status: 4, error: "NoValue \(path)")
    expect(try await zkcli("get", "--json-path", "a[0].b", path), output: "x y\n")
    expect(try await zkcli("get", "--json-path", "a/b", path), status: 2, error: "$.a.b[0]")
    let document = try await zkcli("-o", "json", "get", "--json-path", "$.a", path)
    expect(
      document, output: #"{"path":"\#(path)","jsonPath":"$.a","value":[{"b":"x y"}],"version":0}"# + "\n")
    expect(try await zkcli("set", "--json-path", "$.a[0].b", path, "z"))
    expect(try await zkcli("set", "--json-path", "$.m", "-v", "1", path, "{\"k\":true}"))
    expect(try await zkcli("set", "--json-path", "$.m", "-v", "1", path, "2"), status: 4, error: "BadVersion")
    expect(try await zkcli("set", "--json-path", "$.x.y", path, "2"), status: 4, error: "only the last component")
    expect(
      try await zkcli("get", path),
      output: "{ \"n\": 1.50,\n  \"a\": [ {\"b\": \"z\"} ],\n  \"m\": {\"k\":true} }\n")
    expect(try await zkcli("create", "\(path)/text", "no json"), output: "\(path)/text\n")
    expect(
      try await zkcli("get", "--json-path", "$.a", "\(path)/text"), status: 4, error: "not JSON: line 1, column 1")
    expect(try await zkcli("set", "--json-path", "$.a", "\(path)/text", "1"), status: 4, error: "NotJSON")
    // In a pipelined script as well.
    let run = try await zkcli.script(
      "set --json-path /n \(path) 2\nset --json-path /n \(path) 3\nget --json-path /n \(path)\n", "--pipeline", "10")
    expect(run, output: "3\n")
  }

  /// Writers that change members of one text at the same time lose nothing.
  @Test func concurrentChangesOfOneTextAllCount() async throws {
    let zkcli = Zkcli(server: try await ServerKind.zkcli.connectString)
    let path = uniquePath("writers")
    expect(try await zkcli("create", path, "{}"), output: "\(path)\n")
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<6 {
        group.addTask { expect(try await zkcli("set", "--json-path", "$.w\(writer)", path, "\(writer)")) }
      }
      try await group.waitForAll()
    }
    let value = try jsonObject(try await zkcli("get", path).output)
    #expect(value as? [String: Int] == Dictionary(uniqueKeysWithValues: (0..<6).map { ("w\($0)", $0) }))
  }

  @Test(arguments: ServerKind.allCases) func compressedValuesAreShown(kind: ServerKind) async throws {
    let zkcli = Zkcli(server: try await kind.connectString)
    let path = uniquePath("gzip")
    #expect(try await zkcli.shell("printf '{\"a\": [7]}' | gzip | zkcli create \(path) -").exitStatus == 0)
    expect(try await zkcli("get", "--decode", path), output: "{\"a\": [7]}")
    expect(try await zkcli("get", "--decode=gzip", path), output: "{\"a\": [7]}")
    expect(try await zkcli("get", "--decode", "--json-path", "$.a[0]", path), output: "7\n")
    expect(try await zkcli("get", "--json-path", "$.a[0]", path), status: 4, error: "get --decode shows it")
    expect(try await zkcli("get", "--decode=snappy", path), status: 4, error: "NotCompressed \(path)")
    expect(try await zkcli("get", "--decode=lz4", path), status: 2, error: "gzip, zlib, snappy")
    #expect(try await zkcli("create", "\(path)/plain", "v").exitStatus == 0)
    expect(try await zkcli("get", "--decode", "\(path)/plain"), output: "v")
    // 100 MB of zeros in 100 KB.
    #expect(
      try await zkcli.shell("head -c 100000000 /dev/zero | gzip | zkcli create \(path)/bomb -").exitStatus == 0)
    expect(try await zkcli("get", "--decode", "\(path)/bomb"), status: 6, error: "64 MiB")
  }
}
