import Testing

@testable import ZooKeeperShell

/// `|`, `>` and `>>`, hints, and the history's `!N`.
@Suite(.timeLimit(.minutes(10))) struct RedirectionTests {
  @Test(arguments: [
    ("ls / | less", ["ls", "/"], Redirection.pipe(" less")), ("get /x > f", ["get", "/x"], .file("f", appends: false)),
    ("get /x >> 'my f'", ["get", "/x"], .file("my f", appends: true)),
    ("ls | grep '|' > f # x", ["ls"], .pipe(" grep '|' > f # x")),
  ])
  func signsBetweenBlanksRedirect(line: String, words: [Word], redirection: Redirection) throws {
    #expect(try NativeDialect().split([UInt8](line.utf8)) == .redirected(words, redirection))
  }

  @Test(arguments: [
    ("set /x '|'", ["set", "/x", "|"]), ("set /x a|b", ["set", "/x", "a|b"]), (#"set /x \>"#, ["set", "/x", ">"]),
    ("wait /x --children >=3", ["wait", "/x", "--children", ">=3"]), ("set /x \">\"", ["set", "/x", ">"]),
    ("local partition 1 | 2,3", ["local", "partition", "1", "|", "2,3"]), ("| less", ["|", "less"]),
    ("set /x >f", ["set", "/x", ">f"]),
  ])
  func othersAreData(line: String, words: [Word]) throws {
    #expect(try NativeDialect().split([UInt8](line.utf8)) == .words(words))
  }

  @Test func inCompatibilityModeTheyAreData() throws {
    guard case .words(let words) = ZkCliDialect().split([UInt8]("ls / > f".utf8)) else {
      return #expect(Bool(false), "redirected")
    }
    #expect(words.count == 4)
  }

  @Test(arguments: ["ls |", "ls | ", "ls >", "ls > a b", "ls >> a | less"])
  func incompleteOnesAreRefused(line: String) {
    let error = #expect(throws: ShellError.self) { try NativeDialect().split([UInt8](line.utf8)) }
    #expect(error?.exitCode == .usage)
  }

  @Test(
    arguments: [
      ("create ", "[-s] [-e] [-c] [-t MS] [-p] path [data] [acl]"), ("create /x ", "[data] [acl]"),
      ("create -e /x v ", "[acl]"), ("create /x", nil), ("create /x v a ", nil), ("pwd ", nil), ("nonesuch ", nil),
      ("get '/x ", nil), ("ls | ", nil), ("delete /a ", "path..."), ("", nil), ("create --nonesuch ", nil),
    ] as [(String, String?)])
  func hintsNameWhatMayFollow(line: String, hint: String?) { #expect(Hints.text(for: line) == hint) }
}

extension RedirectionTests {
  @Test(
    arguments: [
      (["PAGER": ""], nil), (["PAGER": "cat"], nil), (["PAGER": "most -s"], "most -s"), (["PATH": "/nonexistent"], nil),
    ] as [([String: String], String?)])
  func theEnvironmentChoosesThePager(variables: [String: String], command: String?) {
    #expect(Pager.command(ShellEnvironment(variables: variables)) == command)
  }
}
