/// The arguments in a variable such as `SERVER_JVMFLAGS`, `CLIENT_JVMFLAGS` or `JVMFLAGS`, which Apache's scripts pass
/// to `java`: system properties (`-Dkey=value`), and flags for the virtual machine itself, which mean nothing here.
///
/// The scripts expand the variable without quotes. Blanks therefore separate arguments, and quotes have no meaning.
///
/// *Source*: `bin/zkServer.sh`, `bin/zkCli.sh`; the manual page of `java`.
public struct JavaFlags: Hashable, Sendable {
  /// A system property.
  public struct Property: Hashable, Sendable {
    /// What precedes the first `=`.
    public var key: String
    /// Empty for `-Dkey`, as for `java`.
    public var value: String

    public init(key: String, value: String) {
      self.key = key
      self.value = value
    }
  }

  /// In the order of the text; a key may come more than once, and its last value counts.
  public let properties: [Property]
  /// Arguments that are no properties, in the order of the text: `-Xmx1g`, `-XX:+UseG1GC`, `-cp` and its value.
  public let passedOver: [String]

  /// Flags of `java` whose value is the next argument.
  private static let flagsWithValue: Set<String> = [
    "-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules",
    "--add-exports", "--add-opens", "--add-reads", "--patch-module", "--enable-native-access", "--limit-modules",
  ]

  /// Reads the text of one variable, or of several with blanks between them.
  public init(parsing text: String) {
    var properties: [Property] = []
    var passedOver: [String] = []
    var words = text.unicodeScalars.split { $0 == " " || $0 == "\t" || $0 == "\n" || $0 == "\r" }[...]
    while let word = words.popFirst() {
      guard word.starts(with: "-D".unicodeScalars), word.count > 2 else {
        passedOver.append(String(word))
        if Self.flagsWithValue.contains(String(word)), let value = words.popFirst() { passedOver.append(String(value)) }
        continue
      }
      let body = word.dropFirst(2)
      let equals = body.firstIndex(of: "=") ?? body.endIndex
      properties.append(Property(key: String(body[..<equals]), value: String(body[equals...].dropFirst())))
    }
    self.properties = properties
    self.passedOver = passedOver
  }

  /// The last value of a key.
  public subscript(key: String) -> String? { properties.last { $0.key == key }?.value }
}
