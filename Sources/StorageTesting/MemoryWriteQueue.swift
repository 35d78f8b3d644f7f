package import TxnLog

/// The queue of a `MemoryFileSystem`, whose writes are refused, or late, on request.
///
/// *Thread*: one at a time, as the file system.
package final class MemoryWriteQueue: WriteQueue, @unchecked Sendable {
  // @unchecked: see *Thread*.

  /// What becomes of a write.
  package enum Course: Hashable, Sendable {
    case refused
    /// It ends at once.
    case prompt
    /// It goes on until it is waited for without a limit.
    case late
  }

  /// A write that goes on. `copy` has the bytes as they were when it began.
  private struct Late {
    let file: FileHandle
    let offset: Int
    let bytes: UnsafeRawBufferPointer
    let copy: [UInt8]
  }

  private unowned let files: MemoryFileSystem
  private var late: Late?

  init(_ files: MemoryFileSystem) { self.files = files }

  deinit { precondition(late == nil, "a queue was released while a write of it went on") }

  /// Does what `MemoryFileSystem.queuedWrites` says.
  package func write(
    _ file: FileHandle, at offset: Int, _ bytes: UnsafeRawBufferPointer, waiting nanoseconds: UInt64
  ) -> QueuedWrite {
    precondition(late == nil, "a write was begun while another one goes on")
    switch files.queuedWrites?() ?? .refused {
    case .refused: return .refused
    case .prompt: return perform(file, offset, bytes)
    case .late:
      late = Late(file: file, offset: offset, bytes: bytes, copy: Array(bytes))
      return .goesOn
    }
  }

  /// Ends the write that goes on, if there is no limit.
  package func wait(_ nanoseconds: UInt64?) -> QueuedWrite {
    guard let late, nanoseconds == nil else { return .goesOn }
    precondition(late.bytes.elementsEqual(late.copy), "the memory of a write has changed while it went on")
    self.late = nil
    return perform(late.file, late.offset, late.bytes)
  }

  private func perform(_ file: FileHandle, _ offset: Int, _ bytes: UnsafeRawBufferPointer) -> QueuedWrite {
    do throws(FileSystemError) {
      return .written(byteCount: try files.write(file, at: offset, bytes))
    } catch {
      return .failed(error.reason, errno: error.errno)
    }
  }
}
