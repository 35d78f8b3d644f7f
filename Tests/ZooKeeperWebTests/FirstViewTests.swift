import Foundation
import TestKit
import Testing
import ZooKeeperClient
import ZooKeeperProtocol

@testable import ZooKeeperWeb

/// The rows of the tree in the document itself.
@Suite(.timeLimit(.minutes(5)))
struct FirstViewTests {
  private static let document = """
    <main>
    <!-- first view -->
    <div>
    <p>/</p>
    <!-- row -->
    <p>NAME</p>
    <!-- end of the row -->
    </div>
    <!-- end of the first view -->
    </main>

    """

  @Test func theRowIsRepeatedForEachName() throws {
    let view = try #require(FirstView(Self.document))
    #expect(view.frame == "<main>\n</main>\n")
    #expect(view.document([]) == "<main>\n<div>\n<p>/</p>\n</div>\n</main>\n")
    #expect(
      view.document(["a", "NAME", "</p>"])
        == "<main>\n<div>\n<p>/</p>\n<p>a</p>\n<p>NAME</p>\n<p>&lt;/p&gt;</p>\n</div>\n</main>\n")
    let many = view.document((0..<1000).map { "n\($0)" })
    #expect(many.contains("<p>n59</p>") && !many.contains("<p>n60</p>"))
  }

  @Test(arguments: ["first view", "row", "end of the row", "end of the first view"])
  func aDocumentWithoutAViewHasNone(comment: String) {
    #expect(FirstView(Self.document.replacing("<!-- \(comment) -->", with: "")) == nil)
  }

  /// As `visible` in paths.js writes it, and never as markup.
  @Test(arguments: [
    ("plain", "plain"), ("<script>", "&lt;script&gt;"), ("&lt;", "&amp;lt;"), ("\"'", "\"'"), ("größe", "größe"),
    (" a b ", "␣a b␣"), ("  ", "␣␣"), ("", ""), ("a\u{202E}b", "a⟨U+202E⟩b"), ("\u{85}", "⟨U+0085⟩"),
    ("\u{A0}x", "⟨U+00A0⟩x"), ("a\u{300}", "a\u{300}"), (" \u{300}", "␣\u{300}"), ("👩‍👩", "👩⟨U+200D⟩👩"),
  ])
  func namesAreTextOnly(name: String, text: String) {
    #expect(FirstView.text(name) == text)
  }

  /// The page's script shows the same characters by their numbers.
  @Test func unseenCharactersAreThoseOfTheScript() throws {
    let script = URL(filePath: #filePath).deletingLastPathComponent()
      .appending(path: "../../Sources/ZooKeeperWeb/Page/lib/paths.js")
    let text = try String(contentsOf: script, encoding: .utf8)
    // The class of characters alone, whose lines are joined: lone surrogates are in no string of Swift's.
    let pattern = try #require(text.components(separatedBy: "const unseen = new RegExp(").last)
    let scalars = try #require(pattern.components(separatedBy: "]|").first)
    var ranges: [ClosedRange<UInt32>] = []
    for match in scalars.matches(of: /u(?<first>[0-9a-f]+)(?:-\\\\u(?<last>[0-9a-f]+))?/) {
      let first = try #require(UInt32(match.first, radix: 16))
      ranges.append(first...(try match.last.map { try #require(UInt32($0, radix: 16)) } ?? first))
    }
    #expect(ranges.count > 10)
    for scalar in (0...0xffff as ClosedRange<UInt32>).compactMap(Unicode.Scalar.init) {
      #expect(FirstView.isUnseen(scalar) == ranges.contains { $0.contains(scalar.value) }, "\(scalar.value)")
    }
  }

  /// The document as it is sent as soon as the ensemble answers in time.
  private static func document(
    _ fixture: WebFixture, headers: [String: String] = [:]
  ) async throws -> WebFixture.Reply {
    try await eventually("a document with rows", every: .milliseconds(20)) {
      let reply = try await fixture.ask("GET", "/", headers: headers)
      return reply.text.contains("id=\"first\"") ? reply : nil
    }
  }

  @Test func theDocumentHasTheChildrenOfTheRoot() async throws {
    try await WebFixture.run { fixture in
      for name in ["b", "a", "<i>"] {
        #expect(try await fixture.change("POST", "/znode", "{\"path\":\"/\(name)\"}").status == 201)
      }
      let reply = try await Self.document(fixture)
      #expect(reply.headers["cache-control"] == "no-store" && reply.headers["etag"] == nil)
      let names = reply.text.matches(of: /<span class="text">(?<name>[^<]*)</).map { String($0.name) }
      #expect(names == ["/", "&lt;i&gt;", "a", "b", "zookeeper"])
      let dark = try await Self.document(fixture, headers: ["Cookie": "theme=dark"])
      #expect(dark.text == reply.text.replacing("<html ", with: "<html data-theme=\"dark\" "))
      #expect(try await fixture.ask("HEAD", "/").body.isEmpty)
      for target in ["/?cluster=test", "/?visit=1"] {
        let other = try await fixture.ask("GET", target)
        #expect(other.status == 200 && !other.text.contains("id=\"first\"") && other.headers["etag"] != nil)
      }
    }
  }

  /// A long list would delay the document.
  @Test func aLongListIsNotInTheDocument() async throws {
    try await WebFixture.run { fixture in
      _ = try await Self.document(fixture)
      let client = ZooKeeperClient(.init(try ConnectString(parsing: fixture.sandbox.connectString)))
      for number in 0..<1000 { try await client.create("/n\(number)") }
      await client.close()
      #expect(try await !fixture.ask("GET", "/").text.contains("id=\"first\""))
    }
  }

  /// Without an ensemble there is a document, and soon.
  @Test func noEnsembleIsWaitedFor() async throws {
    try await WebFixture.run { fixture in
      _ = try await Self.document(fixture)
      await fixture.sandbox.stop()
      let reply = try await fixture.ask("GET", "/")
      #expect(reply.status == 200 && !reply.text.contains("id=\"first\""))
    }
  }

  @Test func nobodySeesNamesBeforeTheLogin() async throws {
    try await WebFixture.run {
      $0.login = LoginPolicy(token: "a-token-of-a-test", passwords: nil)
    } _: { fixture in
      let login = try await fixture.ask("POST", "/api/v1/login", #"{"token":"a-token-of-a-test"}"#)
      let cookie = try #require(login.headers["set-cookie"]).split(separator: ";")[0]
      _ = try await Self.document(fixture, headers: ["Cookie": String(cookie)])
      let stranger = try await fixture.ask("GET", "/")
      #expect(stranger.status == 200 && !stranger.text.contains("zookeeper</span>"))
    }
  }
}
