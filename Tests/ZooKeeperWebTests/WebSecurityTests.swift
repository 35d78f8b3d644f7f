import Foundation
import JSONFormat
import TestKit
import Testing

@testable import ZooKeeperWeb

/// Who may ask, and from where.
@Suite(.timeLimit(.minutes(5))) struct WebSecurityTests {
  @Test func otherPagesCanDoNothing() async throws {
    try await WebFixture.run { fixture in
      let port = fixture.port
      for host in ["evil.example:\(port)", "127.0.0.1:1", "127.0.0.1", "10.0.0.1:\(port)"] {
        let reply = try await fixture.ask("GET", "/api/v1/session", headers: ["Host": host])
        #expect(reply.status == 403 && reply.word == "WrongHost", "\(host)")
      }
      for host in ["localhost:\(port)", "LOCALHOST:\(port)", "[::1]:\(port)"] {
        #expect(try await fixture.ask("GET", "/api/v1/session", headers: ["Host": host]).status == 200)
      }
      for headers in [["Origin": "http://evil.example"], ["Origin": "null"], ["Sec-Fetch-Site": "cross-site"]] {
        #expect(try await fixture.ask("GET", "/api/v1/children?path=/", headers: headers).word == "WrongOrigin")
        #expect(try await fixture.change("POST", "/znode", #"{"path":"/a"}"#, headers: headers).status == 403)
      }
      let own = ["Origin": "http://127.0.0.1:\(port)", "Sec-Fetch-Site": "same-origin"]
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/a"}"#, headers: own).status == 201)
    }
  }

  @Test func changesNeedTheToken() async throws {
    try await WebFixture.run { fixture in
      for headers in [[:], ["X-Zkcli-Token": ""], ["X-Zkcli-Token": "0123"]] {
        let reply = try await fixture.ask("POST", "/api/v1/znode", #"{"path":"/a"}"#, headers: headers)
        #expect(reply.status == 403 && reply.word == "WrongToken")
      }
      #expect(try await fixture.ask("GET", "/api/v1/znode?path=/a").status == 404)
    }
  }

  @Test func answersForbidWhatIsNotNeeded() async throws {
    try await WebFixture.run { fixture in
      for target in ["/", "/api/v1/session", "/nothing", "/api/v1/znode?path=x"] {
        let headers = try await fixture.ask("GET", target).headers
        #expect(headers["content-security-policy"]?.contains("default-src 'none'; script-src 'self'") == true)
        #expect(headers["x-content-type-options"] == "nosniff" && headers["referrer-policy"] == "no-referrer")
        #expect(headers["cross-origin-resource-policy"] == "same-origin")
        #expect(headers["access-control-allow-origin"] == nil)
      }
    }
  }

  /// The document has the colours that were chosen, and nothing else that a cookie says.
  @Test func thePageHasTheChosenColours() async throws {
    try await WebFixture.run { fixture in
      let plain = try await fixture.ask("GET", "/?visit=1")
      #expect(plain.headers["vary"] == "Accept-Encoding, Cookie" && !plain.text.contains("data-theme"))
      for path in ["/?visit=1", "/index.html?visit=1"] {
        for theme in ["light", "dark"] {
          let page = try await fixture.ask("GET", path, headers: ["Cookie": "a=b; theme=\(theme); zkcli=1"])
          #expect(page.text == plain.text.replacing("<html ", with: "<html data-theme=\"\(theme)\" "), "\(path)")
          #expect(page.headers["etag"] != plain.headers["etag"])
        }
      }
      for cookie in ["theme=", "theme=\"><script>", "theme=Dark", "nottheme=dark", "theme"] {
        let page = try await fixture.ask("GET", "/?visit=1", headers: ["Cookie": cookie])
        #expect(page.text == plain.text, "\(cookie)")
      }
      let script = try await fixture.ask("GET", "/page.js", headers: ["Cookie": "theme=dark"])
      #expect(script.headers["vary"] == "Accept-Encoding")
    }
  }

  /// The page lets the browser ask for the root of the cluster that it shows at first, and for nothing else.
  @Test func thePageAsksAheadForTheRoot() async throws {
    try await WebFixture.run { fixture in
      let link = try #require(try await fixture.ask("GET", "/").headers["link"])
      let questions = link.matches(of: /<(?<target>[^>]+)>; rel=preload; as=fetch; crossorigin/)
      #expect(questions.map(\.target) == ["/api/v1/children?path=%2F", "/api/v1/znode?path=%2F"])
      for question in questions {
        #expect(try await fixture.ask("GET", String(question.target)).status == 200)
      }
      for target in ["/?cluster=other", "/page.js", "/nothing"] {
        #expect(try await fixture.ask("GET", target).headers["link"] == nil, "\(target)")
      }
    }
  }

  @Test func nothingOutsideOfThePageIsServed() async throws {
    try await WebFixture.run { fixture in
      let page = try await fixture.ask("GET", "/")
      #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
      let packed = try await fixture.ask("GET", "/index.html?visit=1", headers: ["Accept-Encoding": "br, gzip"])
      #expect(packed.headers["content-encoding"] == "gzip" && packed.body.count < page.body.count)
      let tag = try #require(packed.headers["etag"])
      #expect(try await fixture.ask("GET", "/?visit=1", headers: ["If-None-Match": tag]).status == 304)
      for path in ["/../index.html", "/%2e%2e/index.html", "/a%00", "/etc/passwd", "/lib/", "/lib", "/openapi.yaml"] {
        #expect(try await fixture.ask("GET", path).status == 404, "\(path)")
      }
      for path in ["/lib/%zz", "/%ff", "/lib/%2"] { #expect(try await fixture.ask("GET", path).status == 400) }
    }
  }

  /// What the page, its styles and its modules name is served under these names.
  @Test func allThatThePageLoadsIsThere() async throws {
    try await WebFixture.run { fixture in
      var waiting = ["/"]
      var seen: Set<String> = ["/"]
      while let path = waiting.popLast() {
        let reply = try await fixture.ask("GET", path)
        #expect(reply.status == 200, "\(path)")
        let type: String? =
          path.hasSuffix(".js") ? "text/javascript" : path.hasSuffix(".css") ? "text/css" : nil
        if let type { #expect(reply.headers["content-type"] == "\(type); charset=utf-8", "\(path)") }
        let text = String(decoding: reply.body, as: UTF8.self).split(separator: "\n")
          .filter { !["*", "//", "/*"].contains(where: $0.drop { $0 == " " }.hasPrefix) }.joined(separator: "\n")
        let folder = String(path[...(path.lastIndex(of: "/") ?? path.startIndex)])
        let names =
          path == "/"
          ? text.matches(of: /(?:href|src)="([^"#]+)"/).map { String($0.1) }
          : text.matches(of: /"(\.{1,2}\/[a-z\/-]+\.(?:js|css))"/).map { String($0.1) }
        for name in names {
          guard let found = URL(string: name, relativeTo: URL(string: "http://h\(folder)"))?.absoluteURL.path() else {
            continue
          }
          if seen.insert(found).inserted { waiting.append(found) }
        }
      }
      #expect(seen.count > 40, "\(seen.sorted())")
      // What a browser fetches that opens every view.
      var sentBytes = 0
      for path in seen {
        sentBytes += try await fixture.ask("GET", path, headers: ["Accept-Encoding": "gzip"]).body.count
      }
      #expect(sentBytes < 200 << 10)
    }
  }

  @Test func readOnlyServersChangeNothing() async throws {
    try await WebFixture.run {
      $0.isReadOnly = true
    } _: { (fixture) async throws in
      let reply = try await fixture.change("POST", "/znode", #"{"path":"/a"}"#)
      #expect(reply.status == 403 && reply.word == "ReadOnly")
      #expect(try await fixture.change("POST", "/sandbox/kill", #"{"server":1}"#).word == "ReadOnly")
      #expect(try await fixture.change("POST", "/stats", #"{"path":"/","names":["zookeeper"]}"#).status == 200)
    }
  }

  @Test func protectedClustersAreNamed() async throws {
    try await WebFixture.run {
      $0.clusters[0].isProtected = true
    } _: { (fixture) async throws in
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/a"}"#).word == "Protected")
      let wrong = ["X-Zkcli-Confirm": "other"]
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/a"}"#, headers: wrong).word == "Protected")
      let right = ["X-Zkcli-Confirm": "test"]
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/a"}"#, headers: right).status == 201)
    }
  }

  @Test func loginIsNeededWhereItIsAskedFor() async throws {
    let passwords = try PasswordFile(
      parsing: "# users\nann:$5$rounds=1000$saltstring$z/y8l95GSjij6uHx2xAJer7YCODLtrhIxItWC13D4g5\n")
    try await WebFixture.run {
      $0.login = LoginPolicy(token: "a-token-of-a-test", passwords: passwords)
    } _: { fixture in
      let session = try await fixture.ask("GET", "/api/v1/session").json
      guard case .null? = session?["token"] else { throw TestKitError(.ended, "the token is told before the login") }
      #expect(try await fixture.ask("GET", "/api/v1/children?path=/").status == 401)
      #expect(try await fixture.ask("GET", "/").headers["link"] == nil)
      #expect(try await fixture.ask("POST", "/api/v1/login", #"{"token":"wrong"}"#).status == 401)
      let wrong = #"{"user":"ann","password":"hello world!"}"#
      #expect(try await fixture.ask("POST", "/api/v1/login", wrong).status == 401)
      let reply = try await fixture.ask("POST", "/api/v1/login", #"{"user":"ann","password":"Hello world!"}"#)
      #expect(reply.status == 200 && reply.json?["user"]?.text == "ann")
      let cookie = try #require(reply.headers["set-cookie"])
      #expect(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"))
      let headers = ["Cookie": String(cookie.split(separator: ";")[0])]
      #expect(try await fixture.ask("GET", "/api/v1/children?path=/", headers: headers).status == 200)
      #expect(try await fixture.ask("GET", "/", headers: headers).headers["link"] != nil)
      #expect(try await fixture.change("POST", "/znode", #"{"path":"/a"}"#, headers: headers).status == 201)
      #expect(
        fixture.log.all.contains { $0.contains("\"ann\"") && $0.contains("201") && $0.hasSuffix("create \"/a\"") })
      #expect(!fixture.log.all.contains { $0.contains("Hello") })
      #expect(try await fixture.change("POST", "/logout", "", headers: headers).status == 200)
      #expect(try await fixture.ask("GET", "/api/v1/children?path=/", headers: headers).status == 401)
    }
  }

  @Test func othersThanThisMachineNeedALogin() async throws {
    await #expect(throws: WebStartError.self) {
      try await WebFixture.run {
        $0.host = "0.0.0.0"
      } _: { _ in
      }
    }
  }
}

/// Passwords as `crypt` hashes them.
@Suite struct PasswordFileTests {
  /// Made by `openssl passwd`.
  @Test(arguments: [
    ("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"),
    ("$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!"),
    (
      "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
      "Hello world!"
    ),
  ])
  func knownHashes(hash: String, password: String) throws {
    let known = try #require(SHACrypt(parsing: hash))
    #expect(known.accepts(password) && !known.accepts(password + " ") && !known.accepts(""))
  }

  @Test(arguments: ["", "$5$", "$1$a$b", "$5$rounds=1$salt$x", "$5$rounds=999999999$salt$x", "$5$salt$short", "plain"])
  func otherTextsAreRefused(text: String) {
    #expect(SHACrypt(parsing: text) == nil)
    #expect(throws: WebStartError.self) { try PasswordFile(parsing: "ann:\(text)\n") }
  }
}
