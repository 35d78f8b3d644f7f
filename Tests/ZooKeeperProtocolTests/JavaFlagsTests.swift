import Testing
import ZooKeeperProtocol

@Suite(.timeLimit(.minutes(10))) struct JavaFlagsTests {
  @Test(
    arguments: [
      ("", [], []),
      ("-Xmx1g -Dzookeeper.client.secure=true", ["zookeeper.client.secure=true"], ["-Xmx1g"]),
      ("  -Da=1\t-Da=2\n-Db ", ["a=1", "a=2", "b="], []),
      ("-Da=b=c -D=x -D", ["a=b=c", "=x"], ["-D"]),
      // The scripts do not quote the variable, so that quotes in it do not join arguments.
      (#"-Da="x y""#, [#"a="x"#], [#"y""#]),
      (
        "-cp /a:/b -Da=1 --add-opens java.base/x=ALL -XX:+UseG1GC", ["a=1"],
        ["-cp", "/a:/b", "--add-opens", "java.base/x=ALL", "-XX:+UseG1GC"]
      ),
      // The value of -cp is no property, whatever it looks like.
      ("-cp -Da=1 -cp", [], ["-cp", "-Da=1", "-cp"]),
      ("-javaagent:/opt/a.jar=8080:/b.yml -verbose:gc", [], ["-javaagent:/opt/a.jar=8080:/b.yml", "-verbose:gc"]),
      // A combining mark after `=` is a separate character.
      ("-Da=\u{301}x", ["a=\u{301}x"], []),
    ] as [(String, [String], [String])])
  func wordsArePropertiesOrPassedOver(text: String, properties: [String], passedOver: [String]) {
    let flags = JavaFlags(parsing: text)
    #expect(flags.properties.map { "\($0.key)=\($0.value)" } == properties)
    #expect(flags.passedOver == passedOver)
  }

  @Test func theLastValueCounts() {
    let flags = JavaFlags(parsing: "-Da=1 -Db=2 -Da=3")
    #expect(flags["a"] == "3")
    #expect(flags["c"] == nil)
  }
}

@Suite(.timeLimit(.minutes(10))) struct JavaEnvironmentFileTests {
  private static let given = ["JVMFLAGS": "-Dg=1", "ZOOCFGDIR": "/etc/zk", "EMPTY": ""]

  @Test(
    arguments: [
      ("SERVER_JVMFLAGS=-Xmx1g", "-Xmx1g"),
      ("export SERVER_JVMFLAGS=-Da=1", "-Da=1"),
      ("export SERVER_JVMFLAGS='-Da=1 $b'", "-Da=1 $b"),
      (#"export SERVER_JVMFLAGS="-Da=1 $JVMFLAGS""#, "-Da=1 -Dg=1"),
      (
        #"SERVER_JVMFLAGS="-Dj=${ZOOCFGDIR}/jaas.conf ${NO}${NO:-x}${EMPTY:-y}${EMPTY-z}" # why"#,
        "-Dj=/etc/zk/jaas.conf xy"
      ),
      ("A=1; SERVER_JVMFLAGS=$A$A", "11"),
      ("SERVER_JVMFLAGS=a\nSERVER_JVMFLAGS=\"$SERVER_JVMFLAGS b\"", "a b"),
      ("SERVER_JVMFLAGS=a\nSERVER_JVMFLAGS+=' b'", "a b"),
      ("SERVER_JVMFLAGS=\"a \\\n  b\"", "a   b"),
      ("export SERVER_JVMFLAGS=a \\\n  B=c", "a"),
      ("\u{feff}SERVER_JVMFLAGS=a\r\nB=c\r\n", "a"),
      ("SERVER_JVMFLAGS=a\rB=c\r", "a"),
      (#"SERVER_JVMFLAGS=a\ b\"c"#, #"a b"c"#),
      (#"SERVER_JVMFLAGS="a\\\"\$b\n""#, #"a\"$b\n"#),
      ("#SERVER_JVMFLAGS=no\nSERVER_JVMFLAGS=yes", "yes"),
      ("SERVER_JVMFLAGS=a=b", "a=b"),
      ("SERVER_JVMFLAGS=", ""),
      ("export SERVER_JVMFLAGS", nil),
    ] as [(String, String?)])
  func plainAssignmentsAreRead(text: String, value: String?) {
    let file = JavaEnvironmentFile(parsing: text, variables: Self.given)
    #expect(file.variables["SERVER_JVMFLAGS"] == value)
    #expect(file.notUnderstood == [])
    #expect(file.variables["ZOOCFGDIR"] == "/etc/zk")
  }

  @Test(
    arguments: [
      ("SERVER_JVMFLAGS=$(cat /x)", [1]), ("SERVER_JVMFLAGS=\"`cat /x`\"", [1]), ("A=${B%/}", [1]),
      ("[ -z \"$A\" ] && SERVER_JVMFLAGS=a", [1]), ("SERVER_JVMFLAGS=a java", [1]), (". /etc/default/zk", [1]),
      ("if [ -n \"$A\" ]; then\n  SERVER_JVMFLAGS=a\nfi", [1, 1, 2, 3]), ("SERVER_JVMFLAGS='a\nb", [1]),
      ("\n\nSERVER_JVMFLAGS=\"open\n", [3]), ("f() {\nSERVER_JVMFLAGS=a\n}", [1, 2, 3]), ("A=${B:-$C}", [1]),
      ("A=$", []), ("A=$1", [1]), ("A=\\", []),
    ] as [(String, [Int])])
  func whatOnlyAShellCanWorkOutIsNamed(text: String, lines: [Int]) {
    let file = JavaEnvironmentFile(parsing: text)
    #expect(file.variables["SERVER_JVMFLAGS"] == nil)
    #expect(file.notUnderstood.map(\.line) == lines, "\(file.notUnderstood)")
  }

  @Test func whatFollowsAConditionIsReadAgain() {
    let file = JavaEnvironmentFile(parsing: "if true; then\nA=1\nfi\nB=2")
    #expect(file.variables == ["B": "2"])
  }

  @Test func noTextMakesItTrap() {
    let pieces = [
      "A", "=", "$", "{", "}", "\"", "'", "\\", "\n", "\r", ";", "#", " ", ":-", "+", "export", "`", "(", "\u{301}",
    ]
    var state: UInt64 = 7
    for _ in 0..<5000 {
      var text = ""
      for _ in 0..<12 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        text += pieces[Int(state >> 33) % pieces.count]
      }
      let file = JavaEnvironmentFile(parsing: text, variables: ["A": "x"])
      #expect(file.variables["A"] != nil)
    }
  }
}
