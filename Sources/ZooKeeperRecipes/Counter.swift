public import ZooKeeperClient
import ZooKeeperProtocol

/// A number that many count up and down.
///
/// A change is made with the version that was read, and tried again, after a pause, when somebody else was first. It
/// is made once, also when its answer is lost, by a mark in the same transaction (`MarkedWrite`).
///
/// *Source*: Curator's `DistributedAtomicLong` and `SharedCount`, kazoo's `Counter`.
public struct Counter: Sendable {
  public let path: String
  /// How the number is written when the znode does not say.
  public let format: Format?
  private let recipe: RecipeClient

  /// How the number is written.
  public enum Format: String, CaseIterable, Hashable, Sendable {
    /// Eight bytes, the highest first: Curator's `DistributedAtomicLong`.
    case long
    /// Four bytes, the highest first: Curator's `SharedCount`.
    case int
    /// Decimal digits, as kazoo's `Counter` has them.
    case text

    /// How data is to be read: digits are a text, other data goes by its length. nil for data that is no number.
    static func of(_ data: [UInt8]) -> Format? {
      if Int64(String(decoding: data, as: UTF8.self)) != nil { return .text }
      return data.count == 8 ? .long : data.count == 4 ? .int : nil
    }

    /// - Returns: nil for data that is no number in this format.
    func number(in data: [UInt8]) -> Int64? {
      switch self {
      case .text: Int64(String(decoding: data, as: UTF8.self))
      case .long: data.count == 8 ? data.reduce(0) { $0 << 8 | Int64($1) } : nil
      case .int: data.count == 4 ? Int64(data.reduce(Int32(0)) { $0 << 8 | Int32($1) }) : nil
      }
    }

    /// - Returns: nil for a number out of range.
    func data(of number: Int64) -> [UInt8]? {
      switch self {
      case .text: return [UInt8](String(number).utf8)
      case .long: return (0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * Int64($0))) }
      case .int:
        guard let small = Int32(exactly: number) else { return nil }
        return (0..<4).map { UInt8(truncatingIfNeeded: small >> (24 - 8 * Int32($0))) }
      }
    }
  }

  /// A counter at `path`. Without a format the znode's own counts, and a new one is a `long`.
  public init(_ client: ZooKeeperClient, path: String, format: Format? = nil) {
    self.path = path
    self.format = format
    recipe = RecipeClient(client)
  }

  /// The number; 0 where there is no znode yet.
  ///
  /// - Throws: `RecipeError` with `malformed` when the data is no number.
  public func value() async throws -> Int64 {
    guard let (data, _) = try await recipe.data(of: path) else { return 0 }
    return try read(data).number
  }

  /// Adds to the number, and gives the new one.
  ///
  /// - Throws: `RecipeError` with `malformed` when the data is no number, or the sum is out of range; with `exhausted`
  ///   when the znode has the version -1, behind which a write cannot be made to depend on it.
  public func add(_ difference: Int64) async throws -> Int64 {
    try await change(needsVersion: true) { number in
      let (sum, overflows) = number.addingReportingOverflow(difference)
      return overflows ? nil : sum
    }
  }

  /// Sets the number, whatever it was.
  ///
  /// - Returns: the number.
  public func set(_ number: Int64) async throws -> Int64 { try await change(needsVersion: false) { _ in number } }

  private func change(needsVersion: Bool, _ body: (Int64) -> Int64?) async throws -> Int64 {
    for attempt in 0... {
      guard let (data, stat) = try await recipe.data(of: path) else {
        try await recipe.ensureParent(of: path)
        try await recipe.createIfMissing(path, data: (format ?? .long).data(of: 0))
        continue
      }
      guard !needsVersion || Self.isCheckable(version: stat.version) else {
        throw RecipeError(
          .exhausted("its version is -1, and an addition could be lost; counter set moves it on"), path: path)
      }
      let (number, format) = try read(data)
      guard let next = body(number), let bytes = format.data(of: next) else {
        throw RecipeError(.malformed("the number would be out of range"), path: path)
      }
      let set = SetDataRequest(path: path, data: bytes, version: stat.version)
      do throws(ZooKeeperError) {
        _ = try await MarkedWrite(recipe, markUnder: path).run([.setData(set)])
        return next
      } catch {
        guard error.keeperError == .badVersion || error.keeperError == .noNode else { throw error }
      }
      // Up to 1, 2, 4 … 256 milliseconds: who was slower gives way, and not all at once.
      try await Task.sleep(for: .microseconds(Int.random(in: 0...(1000 << min(attempt, 8)))))
    }
    preconditionFailure("the attempts have no end")
  }

  /// Whether a write can be made to depend on a version: they wrap, and to a server -1 means any of them.
  static func isCheckable(version: Int32) -> Bool { version != -1 }

  private func read(_ data: [UInt8]?) throws(RecipeError) -> (number: Int64, format: Format) {
    let data = data ?? []
    // Curator takes an empty znode for one without a number yet.
    guard !data.isEmpty else { return (0, format ?? .long) }
    guard let format = format ?? Format.of(data), let number = format.number(in: data) else {
      throw RecipeError(.malformed("its data is no number"), path: path)
    }
    return (number, format)
  }
}
