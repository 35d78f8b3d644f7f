#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads files of keys and certificates. These are small, so larger files are refused.
enum SmallFile {
  private static let limitBytes = 4 << 20
  /// How much is read at once. A buffer for the largest file would cost a command several milliseconds, because all its
  /// pages are mapped and cleared.
  private static let pieceBytes = 16 << 10

  /// A file's version: it differs after the file was written or replaced.
  struct Stamp: Hashable {
    private let inode: UInt64
    private let size: Int64
    private let seconds: Int64
    private let nanoseconds: Int64

    /// The version of a file; nil if there is none.
    init?(_ path: String) {
      var status = stat()
      guard stat(path, &status) == 0 else { return nil }
      inode = UInt64(status.st_ino)
      size = Int64(status.st_size)
      #if canImport(Darwin)
        seconds = Int64(status.st_mtimespec.tv_sec)
        nanoseconds = Int64(status.st_mtimespec.tv_nsec)
      #else
        seconds = Int64(status.st_mtim.tv_sec)
        nanoseconds = Int64(status.st_mtim.tv_nsec)
      #endif
    }
  }

  /// Reads a whole file.
  ///
  /// *Thread*: any that may block.
  static func read(_ path: String) throws(TLSStoreError) -> [UInt8] {
    // O_NONBLOCK keeps a pipe of this name from holding the program up.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw failure(path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: pieceBytes)
    while bytes.count <= limitBytes {
      let length = piece.withUnsafeMutableBytes { platformRead(descriptor, $0.baseAddress, $0.count) }
      if length == 0 { return bytes }
      if length > 0 {
        bytes += piece[..<length]
      } else if errno != EINTR {
        throw failure(path)
      }
    }
    throw TLSStoreError(path, "it is larger than \(limitBytes >> 20) MiB, so it is no file of keys or certificates")
  }

  /// Whether users other than the owner and the group can read a file.
  static func isReadableByAll(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & 0o004 != 0
  }

  private static func failure(_ path: String) -> TLSStoreError {
    TLSStoreError(path, String(cString: strerror(errno)))
  }
}

/// `read(2)`, which a method of the same name would hide.
private func platformRead(_ descriptor: CInt, _ buffer: UnsafeMutableRawPointer?, _ count: Int) -> Int {
  read(descriptor, buffer, count)
}
