import Testing

@testable import ZooKeeperClient

/// What limits the requests of several batches.
struct RequestWindowTests {
  /// A batch of requests that are complete when the test says so.
  private final class FakeBatch {
    private let window: RequestWindow
    private var left: Int
    private let completesAtOnce: Bool
    private(set) var sent = 0

    init(_ count: Int, in window: RequestWindow, completesAtOnce: Bool = false) {
      left = count
      self.window = window
      self.completesAtOnce = completesAtOnce
    }

    func start() {
      window.add { [self] in
        guard left > 0 else { return false }
        left -= 1
        sent += 1
        if completesAtOnce { window.release() }
        return true
      }
    }
  }

  @Test func aBatchBeginsWhileTheLastRepliesOfAnotherAreAwaited() {
    let window = RequestWindow(4)
    let (first, second) = (FakeBatch(6, in: window), FakeBatch(3, in: window))
    first.start()
    second.start()
    #expect(first.sent == 4 && second.sent == 0)
    for _ in 0..<2 { window.release() }
    #expect(first.sent == 6 && second.sent == 0)
    window.release()
    #expect(first.sent == 6 && second.sent == 1)
    for _ in 0..<8 { window.release() }
    #expect(second.sent == 3)
  }

  @Test func allPlacesAreFreeAgainAfterwards() {
    let window = RequestWindow(2)
    let first = FakeBatch(2, in: window)
    first.start()
    for _ in 0..<2 { window.release() }
    let second = FakeBatch(5, in: window)
    second.start()
    #expect(second.sent == 2)
  }

  /// A hundred thousand requests that are refused before they are sent must not use a hundred thousand frames.
  @Test func requestsThatFailAtOnceDoNotFillTheStack() {
    let window = RequestWindow(1)
    let batch = FakeBatch(100_000, in: window, completesAtOnce: true)
    batch.start()
    #expect(batch.sent == 100_000)
  }

  @Test(arguments: [0, -1, .min]) func aWindowHasAtLeastOnePlace(size: Int) {
    let window = RequestWindow(size)
    let batch = FakeBatch(2, in: window)
    batch.start()
    #expect(batch.sent == 1)
  }
}
