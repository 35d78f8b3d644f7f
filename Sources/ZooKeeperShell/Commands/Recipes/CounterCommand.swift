import ZooKeeperClient
import ZooKeeperRecipes

/// counter and id.
extension CommandContext {
  /// Reads or changes a counter.
  func counter(_ client: ZooKeeperClient) async throws -> ExitCode {
    let action = try action(of: ["get", "add", "set"])
    let path = try path(at: 1)
    let format = try invocation.value(.format).map { word throws(ShellError) in
      Counter.Format(
        rawValue: try ValueParser.choice(word, of: "--format", among: Counter.Format.allCases.map(\.rawValue)))!
    }
    let number = try invocation.argument(2).map { word throws(ShellError) in
      try ValueParser.integer(word, of: "number", in: .min ... .max)
    }
    let counter = Counter(client, path: path, format: format)
    let value: Int64
    switch (action, number) {
    case ("get", nil): value = try await counter.value()
    case ("get", _): throw ShellError.usage("counter get takes no number", hint: "counter set changes the counter")
    case ("add", let number): value = try await counter.add(number ?? 1)
    case (_, let number?): value = try await counter.set(number)
    case (_, nil):
      throw ShellError.missing("argument", "number", of: invocation.spec)
    }
    try emit(.recipe(.number(path: path, value)))
    return .success
  }

  /// Prints a new number.
  func identifier(_ client: ZooKeeperClient) async throws -> ExitCode {
    _ = try action(of: ["next"])
    let path = try path(at: 1)
    try emit(.recipe(.number(path: path, try await IdentifierSource(client, path: path).next())))
    return .success
  }
}
