import Testing

@testable import SASL

/// The rules by which names of principals are shortened.
@Suite struct AuthToLocalTests {
  private func identity(_ rules: String, _ name: String, whole: Bool = false) throws -> String? {
    var names = KerberosNameRules()
    names.shortNames = try AuthToLocalRules(parsing: rules)
    names.defaultRealm = "R"
    names.removesHost = !whole
    names.removesRealm = !whole
    return names.identity(of: name)
  }

  /// What `org.apache.zookeeper.server.auth.KerberosName` of Apache 3.8.0 makes of the same rules and names.
  @Test(
    arguments: [
      ("DEFAULT", "bob@R", "bob"), ("DEFAULT", "zk/h@R", "zk"),
      ("RULE:[1:$1]", "bob@OTHER", "bob"), ("RULE:[2:$1]", "zk/h@OTHER", "zk"),
      ("RULE:[2:$2;$1](^.*;zk$)s/;.*$//", "zk/h@R", "h"),
      ("RULE:[1:$1@$0](.*@OTHER)s/@.*//", "bob@OTHER", "bob"),
      ("RULE:[1:$1@$0](.*@OTHER)s/@.*//\nDEFAULT", "eve@R", "eve"),
      ("RULE:[1:$1]s/b/x/", "bob@R", "xob"), ("RULE:[1:$1]s/b/x/g", "bob@R", "xox"),
      ("RULE:[1:$1]s/(b)(o)/$2$1$0/", "bob@R", "obbob"), ("RULE:[1:$1]s/o/\\$/", "bob@R", "b$b"),
      ("RULE:[1:$1]s/x*/-/g", "bob@R", "-b-o-b-"), ("RULE:[1:u-$1-$0]", "bob@R", "u-bob-R"),
      ("RULE:[1:admin](bob)DEFAULT", "bob@R", "bob"), ("RULE:[1:$1](bo)DEFAULT", "bob@R", "bob"),
      ("  RULE:[1:$1]s/b/c/  DEFAULT ", "bob@R", "cob"),
      ("RULE:[3:$1]DEFAULT", "bob@R", "bob"), ("RULE:[1:$1]s/(x)?b/[$1]/", "bob@R", "[]ob"),
    ])
  func namesAreShortened(_ rules: String, _ name: String, _ short: String) throws {
    #expect(try identity(rules, name) == short)
  }

  /// Hadoop's flag for lower case, after a slash of its own, and where administrators also put it.
  @Test(arguments: ["RULE:[1:$1]/L", "RULE:[1:$1]s/O/o/g/L", "RULE:[1:$1](B.*)L", "RULE:[1:$1]s/x/y//L DEFAULT"])
  func namesCanBeMadeLowerCase(_ rules: String) throws { #expect(try identity(rules, "BOB@R") == "bob") }

  /// Where Apache's server would refuse all principals.
  @Test func noRuleIsTheDefault() throws { #expect(try identity(" ", "bob@R") == "bob") }

  @Test func hostAndRealmFollowUnlessTheyAreRemoved() throws {
    #expect(try identity("RULE:[2:x-$1]", "zk/h@OTHER", whole: true) == "x-zk/h@OTHER")
    #expect(try identity("RULE:[1:x-$1]", "bob@R", whole: true) == "x-bob@R")
  }

  /// Such a principal keeps its whole name, so it gets no permissions of another.
  @Test(arguments: [
    ("DEFAULT", "bob@OTHER"), ("RULE:[1:$1](alice)", "bob@R"), ("RULE:[2:$1]", "bob@R"),
    // What is left is no simple name; the rules after it are not tried.
    ("RULE:[1:$1@$0]DEFAULT", "bob@R"), ("RULE:[2:$1/$2]DEFAULT", "zk/h@R"), ("RULE:[1:$1]s/.*//DEFAULT", "bob@R"),
  ]) func namesWithoutARuleRemainWhole(_ rules: String, _ name: String) throws {
    #expect(try identity(rules, name) == name)
  }

  @Test(arguments: [
    ("DEFUALT", "a rule is DEFAULT or begins with RULE:["), ("RULE:[x:$1]", "a number of components"),
    ("RULE:[:$1]", "a number of components"), ("RULE:[1:$2]", "from 0 to 1"), ("RULE:[1:$]", "from 0 to 1"),
    ("RULE:[1:$1", "there is no ]"), ("RULE:[1:$1](a", "there is no )"), ("RULE:[1:$1]s/a/b", "there is no /"),
    ("RULE:[1:$1]([a)", "is not a regular expression"), ("RULE:[1:$1]s/(a/b/", "is not a regular expression"),
    ("RULE:[1:$1]s/a/$1/", "from 0 to 0"), ("RULE:[1:$1]s/(a)/$2/", "from 0 to 1"),
    ("RULE:[1:$1]s/a/${n}/", "from 0 to 0"), ("RULE:[99999999999999999999:$1]", "a number of components"),
    ("RULE:[1:$99999999999999999999]", "from 0 to 1"), ("DEFAULT x", "(at character 9 of"), ("RULE:[-1:a]", "number"),
    // The first ) ends the expression, as in Apache's pattern.
    ("RULE:[1:$1]((?i)x)DEFAULT", "is not a regular expression"),
  ]) func otherRulesAreRefused(_ rules: String, _ reason: String) {
    let fault = #expect(throws: AuthToLocalFault.self) { try AuthToLocalRules(parsing: rules) }
    #expect(fault?.reason.contains(reason) == true, "\(fault?.reason ?? "")")
  }
}
