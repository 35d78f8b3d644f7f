/// Limits the number of reports that are made at a time. Others wait, and show the state at the time when they are
/// made.
///
/// *Thread*: the event loop.
final class ReportQueue: @unchecked Sendable {
  // @unchecked: touched on the event loop only.

  private typealias Work = (_ finish: @escaping () -> Void) -> Void

  private static let maximumUnderWay = 2
  private var underWay = 0
  private var waiting: [Work] = []
  private var nextIndex = 0

  /// Runs `work` at once or later. It must call `finish` when it is done.
  func run(_ work: @escaping (_ finish: @escaping () -> Void) -> Void) {
    guard underWay < Self.maximumUnderWay else { return waiting.append(work) }
    start(work)
  }

  private func start(_ work: Work) {
    underWay += 1
    work { [self] in
      underWay -= 1
      guard nextIndex < waiting.count else { return }
      let next = waiting[nextIndex]
      nextIndex += 1
      if nextIndex == waiting.count {
        waiting = []
        nextIndex = 0
      }
      start(next)
    }
  }
}
