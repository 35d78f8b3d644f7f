import NIOCore
import NIOPosix
import TxnLog

/// A file that is sent to a client of the AdminServer. It stays readable when its name is removed meanwhile.
///
/// *Thread*: any, one at a time. The file is read on other threads than the event loop's.
final class AnsweredFile: Sendable {
  let sizeBytes: Int
  private let files = PosixFileSystem()
  private let handle: FileHandle
  private let path: String

  /// The size of what is read and sent at a time.
  private static let pieceBytes = 256 << 10

  private init(_ handle: FileHandle, path: String, sizeBytes: Int) {
    self.handle = handle
    self.path = path
    self.sizeBytes = sizeBytes
  }

  /// Opens a file. It must be closed.
  static func open(_ path: String, on loop: any EventLoop) -> EventLoopFuture<AnsweredFile> {
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) {
      let files = PosixFileSystem()
      let handle = try files.open(path, .read)
      do throws(FileSystemError) {
        return AnsweredFile(handle, path: path, sizeBytes: try files.size(handle))
      } catch {
        files.close(handle)
        throw error
      }
    }
  }

  /// The bytes at an offset, as many as are sent at a time.
  func piece(at offset: Int, on loop: any EventLoop) -> EventLoopFuture<ByteBuffer> {
    NIOThreadPool.singleton.runIfActive(eventLoop: loop) { [self] in
      var buffer = ByteBuffer()
      try buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: Self.pieceBytes) { space in
        let piece = UnsafeMutableRawBufferPointer(rebasing: space.prefix(min(Self.pieceBytes, sizeBytes - offset)))
        return try files.readFully(handle, at: offset, into: piece)
      }
      return buffer
    }
  }

  /// Closes the file. Nothing may be read after it.
  func close() { files.close(handle) }
}
