public import ZooKeeperClient
import ZooKeeperProtocol

/// A number that many clients count up and down.
///
/// A change is conditional on the version that was read, and is tried again, after a pause, if another client was
/// first. A mark in the same transaction (`MarkedWrite`) makes sure that it takes effect once, even if the reply is
/// lost.
///
/// ```swift
/// let next = try await Counter(client, path: "/jobs/count").add(1)
/// ```
///
/// *Source*: Curator's `DistributedAtomicLong` and `SharedCount`, kazoo's `Counter`.
public struct Counter: Sendable {
  /// The znode whose data is the number.
  public let path: String
  /// The format of the number; nil takes that of the znode.
  public let format: Format?
  private let recipe: RecipeClient

  /// How the number is written.
  public enum Format: String, CaseIterable, Hashable, Sendable {
    /// Eight bytes in big-endian order: Curator's `DistributedAtomicLong`.
    case long
    /// Four bytes in big-endian order: Curator's `SharedCount`.
    case int
    /// Decimal digits: kazoo's `Counter`.
    case text

    /// The format of data: `text` if it is digits, otherwise by its length. nil for data that is not a number.
    static func of(_ data: [UInt8]) -> Format? {
      if Int64(String(decoding: data, as: UTF8.self)) != nil { return .text }
      return data.count == 8 ? .long : data.count == 4 ? .int : nil
    }

    /// The number that data is.
    ///
    /// - Returns: nil for data that is not a number in this format.
    package func number(in data: [UInt8]) -> Int64? {
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

  /// A counter at `path`. Without a format, an existing znode keeps its format, and a new one gets `long`.
  public init(_ client: ZooKeeperClient, path: String, format: Format? = nil) {
    self.path = path
    self.format = format
    recipe = RecipeClient(client)
  }

  /// The number; 0 if there is no znode yet.
  ///
  /// - Throws: `RecipeError` with `malformed` if the data is not a number; `ZooKeeperError`.
  public func value() async throws -> Int64 {
    guard let (data, _) = try await recipe.data(of: path) else { return 0 }
    return try read(data).number
  }

  /// Adds to the number, and returns the sum.
  ///
  /// - Throws: `RecipeError` with `malformed` if the data is not a number or the sum is out of range, with `exhausted`
  ///   if the znode has the version -1, which means any version to a server, so that a write cannot be conditional on
  ///   it; `ZooKeeperError`; `CancellationError`.
  public func add(_ difference: Int64) async throws -> Int64 {
    try await change(needsVersion: true) { number in
      let (sum, overflows) = number.addingReportingOverflow(difference)
      return overflows ? nil : sum
    }
  }

  /// Sets the number, whatever it was.
  ///
  /// - Returns: the number.
  /// - Throws: `RecipeError` with `malformed` if the data is not a number, or the number does not fit the format;
  ///   `ZooKeeperError`; `CancellationError`.
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
          .exhausted("an addition could be lost, because the znode has version -1; set the number first"), path: path)
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
      // A random pause of up to 1, 2, 4 … 256 milliseconds, so that clients which compete do not collide again.
      try await Task.sleep(for: .microseconds(Int.random(in: 0...(1000 << min(attempt, 8)))))
    }
    preconditionFailure("the attempts have no end")
  }

  /// Whether a write can be conditional on a version. Versions wrap, and to a server -1 means any version.
  static func isCheckable(version: Int32) -> Bool { version != -1 }

  private func read(_ data: [UInt8]?) throws(RecipeError) -> (number: Int64, format: Format) {
    let data = data ?? []
    // To Curator, an empty znode is one that has no number yet.
    guard !data.isEmpty else { return (0, format ?? .long) }
    guard let format = format ?? Format.of(data), let number = format.number(in: data) else {
      throw RecipeError(.malformed("its data is not a number"), path: path)
    }
    return (number, format)
  }
}
