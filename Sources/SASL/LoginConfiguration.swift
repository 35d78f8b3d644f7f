/// A file that says with which secrets a Java program logs in: named sections of login modules with options.
///
/// *Shape*:
/// ```
/// Client {
///   org.apache.zookeeper.server.auth.DigestLoginModule required
///   username="bob"
///   password="secret";
/// };
/// ```
///
/// *Source*: `javax.security.auth.login.Configuration`; `sun.security.provider.ConfigFile`.
package struct LoginConfiguration: Hashable, Sendable {
  /// A login module with its options.
  package struct Module: Hashable, Sendable {
    /// The module's class.
    package var className: String
    /// `required`, `requisite`, `sufficient` or `optional`; with a single module they mean the same.
    package var flag: String
    package var options: [Option]
    package var line: Int

    /// The value of an option; nil if it is missing.
    package subscript(key: String) -> String? { options.last { $0.key == key }?.value }
  }

  /// An option of a module.
  package struct Option: Hashable, Sendable {
    package var key: String
    package var value: String
    package var line: Int
  }

  /// A named list of modules.
  package struct Section: Hashable, Sendable {
    package var name: String
    package var modules: [Module]
    package var line: Int
  }

  package var sections: [Section]

  /// The largest file that is read, in bytes.
  package static let limitBytes = 1 << 20

  /// Parses the text of a file.
  ///
  /// - Throws: the first mistake, with its line.
  package init(parsing text: [UInt8]) throws(LoginConfigurationError) {
    guard text.count <= Self.limitBytes else {
      throw LoginConfigurationError(line: nil, reason: "the file is larger than \(Self.limitBytes) bytes")
    }
    var parser = LoginConfigurationParser(text: text)
    sections = try parser.sections()
  }

  /// The section with a name; nil if there is none.
  package func section(_ name: String) -> Section? { sections.first { $0.name == name } }
}

/// A mistake in a login configuration.
package struct LoginConfigurationError: Error, Hashable, Sendable {
  /// The line, from 1; nil if the whole file is meant.
  package var line: Int?
  /// A clause, without secrets.
  package var reason: String

  package init(line: Int?, reason: String) {
    self.line = line
    self.reason = reason
  }
}
