import Foundation
import Testing

@testable import ZooKeeperShell

@Suite(.timeLimit(.minutes(10))) struct GeneratedFilesTests {
  static let files: [(path: String, text: String)] =
    CompletionScripts.Shell.allCases.map { ($0.file, CompletionScripts.script(for: $0)) }
    + [(ManualPage.file, ManualPage.text)]

  /// With ZKCLI_RECORD=1 this writes the files, and fails, so that no run that records passes for a test.
  @Test(arguments: files) func committedFilesAreUpToDate(path: String, text: String) throws {
    guard Environment["ZKCLI_RECORD"] == "1" else {
      #expect(try Repository.text(path) == text, "\(path) is stale: run with ZKCLI_RECORD=1 and review the change")
      return
    }
    let url = Repository.url(path)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try text.write(to: url, atomically: true, encoding: .utf8)
    Issue.record("recorded \(path)")
  }

  @Test(arguments: [
    ["bash", "-n", "completions/zkcli.bash"],
    ["zsh", "-n", "completions/_zkcli"],
    ["fish", "--no-execute", "completions/zkcli.fish"],
    ["mandoc", "-T", "lint", "-W", "warning", "man/zkcli.1"],
  ])
  func othersAcceptThem(command: [String]) throws {
    let result = try run(command)
    #expect(result.status == 0, "\(result.output)")
    #expect(result.output.isEmpty)
  }

  /// Bash completes against a stand-in for zkcli that answers with fixed names, and prints what it was asked.
  @Test(arguments: [
    ("zkcli get /a", "/a|/a\\ b|/it\\'s|/узел"),
    ("zkcli ge", "get|getAcl|getAllChildrenNumber|getEphemerals"),
    ("zkcli get '/a", #"/a|/a b|/it'\''s|/узел"#),
    (#"zkcli get "/a"#, "/a|/a b|/it's|/узел"),
    ("zkcli --output = js", "json"),
  ])
  func bashQuotesNames(line: String, replies: String) throws {
    let script = """
      LC_ALL=C.UTF-8
      source completions/zkcli.bash
      compopt() { :; }
      fake() { printf '%s\\n' /a '/a b' "/it's" /узел; }
      [[ $1 ]] && fake() { printf '%s\\n' --output=json; }
      COMP_WORDS=(\(bashWords(line)))
      COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
      COMP_WORDS[0]=fake
      _zkcli
      (IFS='|'; printf %s "${COMPREPLY[*]}")
      """
    #expect(try run(["bash", "-c", script, "bash", line.contains("=") ? "option" : ""]).output == replies)
  }

  @Test(arguments: [
    (#"/a\ b"#, "/a b"), ("'/a b", "/a b"), (#""/it's""#, "/it's"), (#"'it'"'"'s'"#, "it's"), (#""a\"b""#, "a\"b"),
  ])
  func bashTakesQuotesAway(raw: String, plain: String) throws {
    let result = try run(["bash", "-c", "source completions/zkcli.bash; _zkcli_unquote \"$1\"", "bash", raw])
    #expect(result.output == plain)
  }

  @Test(arguments: [
    ("zkcli get /a", "/a\n/a b\n"), ("zkcli get '/i", "/it's\n"), ("zkcli set", "set\tSet the data of a znode\n"),
  ])
  func fishCompletes(line: String, replies: String) throws {
    let script = """
      function zkcli; printf '%s\\n' /a '/a b' "/it's"; end
      source completions/zkcli.fish
      complete -C "\(line)" | string match -v "setA*" | string match -v "setq*"
      """
    #expect(try run(["fish", "--no-config", "-c", script]).output == replies)
  }

  @Test func answersAreOneLineEach() {
    let candidates = [
      Candidate(text: "/a b", display: "a b"), Candidate(text: "/bad\nname", display: ""),
      Candidate(text: "get", display: "get", note: "Print"),
    ]
    #expect(CompletionScripts.answer(candidates, for: .bash) == "/a b\nget\n")
    #expect(CompletionScripts.answer(candidates, for: .fish) == "/a b\nget\tPrint\n")
  }

  private func bashWords(_ line: String) -> String {
    line.split(separator: " ").map {
      "'\($0.split(separator: "'", omittingEmptySubsequences: false).joined(separator: #"'\''"#))'"
    }
    .joined(separator: " ")
  }

  private func run(_ command: [String]) throws -> (status: Int32, output: String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = command
    process.currentDirectoryURL = Repository.root
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
  }
}
