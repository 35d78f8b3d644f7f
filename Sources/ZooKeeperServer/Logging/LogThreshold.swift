package import Logging
import Synchronization

/// The least severe level that is logged, which can be changed while the server runs.
///
/// *Thread*: any.
package final class LogThreshold: Sendable {
  /// The level that the server was started with.
  package let initial: Logger.Level
  private let index: Atomic<Int>

  package init(_ level: Logger.Level) {
    initial = level
    index = Atomic(Self.index(of: level))
  }

  package var level: Logger.Level { Logger.Level.allCases[index.load(ordering: .relaxed)] }

  /// Logs messages from this level on.
  package func set(_ level: Logger.Level) { index.store(Self.index(of: level), ordering: .relaxed) }

  /// Logs one more level.
  ///
  /// - Returns: the level from now on.
  package func lower() -> Logger.Level {
    let next = Logger.Level.allCases[max(0, Self.index(of: level) - 1)]
    set(next)
    return next
  }

  private static func index(of level: Logger.Level) -> Int { Logger.Level.allCases.firstIndex(of: level) ?? 0 }
}
