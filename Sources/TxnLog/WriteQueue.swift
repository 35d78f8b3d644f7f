internal import CWriteQueue

/// Takes one direct write at a time, for which its caller waits no longer than it wants to.
///
/// A write that hangs in `FileSystem.write` holds its thread for as long as the disk takes. Here the thread can leave
/// the write and do something else; later this thread, or another one, waits for it again. The memory that is written
/// must not change, and not be freed, before the write has ended.
///
/// *Thread*: one at a time.
package protocol WriteQueue: AnyObject, Sendable {
  /// Begins a write through a handle of `FileOpenMode.createNewDirect`, under the rules of `DirectWrite`, and waits for
  /// it for up to `nanoseconds`.
  func write(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer, waiting nanoseconds: UInt64
  ) -> QueuedWrite

  /// Waits for the write that goes on, for up to `nanoseconds` or for as long as it takes.
  func wait(_ nanoseconds: UInt64?) -> QueuedWrite
}

/// What has become of a write of a `WriteQueue`.
package enum QueuedWrite: Hashable, Sendable {
  /// It has not begun: the queue does not take it.
  case refused
  /// It has begun and not ended.
  case goesOn
  /// These first bytes are durable. They are fewer than were passed if the write was cut short.
  case written(byteCount: Int)
  /// It has failed, with this error of the operating system.
  case failed(FileSystemError.Reason, errno: Int32)
}

/// The queue of file systems that have none: there is no object of it.
package final class NoWriteQueue: WriteQueue {
  private init() {}

  /// Refuses.
  package func write(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer, waiting nanoseconds: UInt64
  ) -> QueuedWrite { .refused }

  /// Refuses.
  package func wait(_ nanoseconds: UInt64?) -> QueuedWrite { .refused }
}

/// The queue that Linux has, io_uring, where it is not forbidden.
///
/// Handing a write to another thread, and being woken by it, costs two changes of threads: 0.04 to 0.07 ms of 0.27 to
/// 0.31 where three servers share two processors (`floors hand-over` of the benchmarks, beside `floors commit`). With a
/// queue it is half of that.
package final class SystemWriteQueue: WriteQueue, @unchecked Sendable {
  // @unchecked: one thread at a time uses it.
  private var queue = write_queue()

  /// Opens a queue; nil if the system has none, or forbids it.
  package init?() {
    guard write_queue_open(&queue) == 0 else { return nil }
  }

  deinit { write_queue_close(&queue) }

  /// Begins a write; see `WriteQueue`.
  package func write(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer, waiting nanoseconds: UInt64
  ) -> QueuedWrite {
    guard let start = bytes.baseAddress, let count = UInt32(exactly: bytes.count) else { return .refused }
    var result: Int32 = 0
    let progress = write_queue_write(&queue, file.rawValue, start, count, UInt64(offset), nanoseconds, &result)
    return Self.queuedWrite(progress, result)
  }

  /// Waits for the write that goes on; see `WriteQueue`.
  package func wait(_ nanoseconds: UInt64?) -> QueuedWrite {
    while true {
      var result: Int32 = 0
      let progress = write_queue_wait(&queue, nanoseconds ?? 1_000_000_000, &result)
      if progress == write_queue_goes_on, nanoseconds == nil { continue }
      return Self.queuedWrite(progress, result)
    }
  }

  private static func queuedWrite(_ progress: write_queue_progress, _ result: Int32) -> QueuedWrite {
    switch progress {
    case write_queue_ended where result < 0: .failed(PosixFileSystem.reason(-result, .write), errno: -result)
    case write_queue_ended: .written(byteCount: Int(result))
    case write_queue_goes_on: .goesOn
    default: .refused
    }
  }
}
