/// A file that is read from front to back through one buffer, so that any part of it is contiguous in memory.
///
/// The buffer grows to the largest part that is loaded, whose size callers have checked against the file's size and a
/// limit.
///
/// *Thread*: one at a time.
final class FileWindow<Files: FileSystem> {
  let path: String
  /// The file's size when it was opened. What is appended later is not seen.
  let sizeBytes: Int
  private let files: Files
  private let file: FileHandle?
  private var buffer: UnsafeMutableRawBufferPointer
  private var windowStart = 0
  private var windowCount = 0

  private static var defaultBytes: Int { 256 << 10 }

  /// Opens the file at `path` in `mode`, which reads.
  init(_ files: Files, path: String, mode: FileOpenMode = .read) throws(TxnLogError) {
    self.files = files
    self.path = path
    let file = try fileCalls { () throws(FileSystemError) in try files.open(path, mode) }
    do throws(FileSystemError) {
      sizeBytes = try files.size(file)
    } catch {
      files.close(file)
      throw TxnLogError(error)
    }
    self.file = file
    buffer = .allocate(byteCount: max(1, min(sizeBytes, Self.defaultBytes)), alignment: 16)
  }

  /// A window on the decompressed contents of the file at `path`.
  init(_ files: Files, path: String, contents: [UInt8]) {
    self.files = files
    self.path = path
    file = nil
    sizeBytes = contents.count
    buffer = .allocate(byteCount: max(1, contents.count), alignment: 16)
    buffer.copyBytes(from: contents)
    windowCount = contents.count
  }

  deinit {
    buffer.deallocate()
    if let file { files.close(file) }
  }

  /// The `count` bytes at `offset`, valid until the next call.
  ///
  /// - Throws: `truncated` if the file has fewer; the failure of a call.
  func load(_ offset: Int, _ count: Int) throws(TxnLogError) -> UnsafeRawBufferPointer {
    guard offset >= 0, count >= 0, count <= sizeBytes - offset else {
      throw TxnLogError(.truncated, path: path, offset: offset)
    }
    if offset < windowStart || offset + count > windowStart + windowCount { try fill(offset, count) }
    return UnsafeRawBufferPointer(rebasing: buffer[(offset - windowStart)..<(offset - windowStart + count)])
  }

  /// The bytes from `offset` on that are in the buffer, or are read into it: up to the end of the file, or at least
  /// 4 KiB.
  func loadAvailable(_ offset: Int) throws(TxnLogError) -> UnsafeRawBufferPointer {
    let held = windowStart + windowCount - offset
    if offset >= windowStart, held >= 4096 || held > 0 && offset + held == sizeBytes { return try load(offset, held) }
    return try load(offset, min(Self.defaultBytes, sizeBytes - offset))
  }

  /// The offset after the last byte from `offset` on that is not 0; `offset` if all are.
  func endOfContent(from offset: Int) throws(TxnLogError) -> Int {
    var end = sizeBytes
    // A hole need not be read, however long it is.
    if let file, end - offset > Self.defaultBytes {
      end = min(end, try fileCalls { () throws(FileSystemError) in try files.endOfData(file, from: offset) })
    }
    while end > offset {
      let start = max(offset, end - Self.defaultBytes)
      let bytes = try load(start, end - start)
      if let last = Self.lastNonzero(bytes) { return start + last + 1 }
      end = start
    }
    return offset
  }

  private static func lastNonzero(_ bytes: UnsafeRawBufferPointer) -> Int? {
    var end = bytes.count
    while end >= 64, bytes.loadUnaligned(fromByteOffset: end - 64, as: SIMD8<UInt64>.self) == .zero { end -= 64 }
    while end > 0 {
      if bytes[end - 1] != 0 { return end - 1 }
      end -= 1
    }
    return nil
  }

  private func fill(_ offset: Int, _ count: Int) throws(TxnLogError) {
    let capacity = max(buffer.count, min(count, sizeBytes))
    let larger: UnsafeMutableRawBufferPointer? =
      capacity > buffer.count ? .allocate(byteCount: capacity, alignment: 16) : nil
    let target = larger ?? buffer
    let kept = offset >= windowStart ? max(0, windowStart + windowCount - offset) : 0
    if kept > 0 {
      target.baseAddress?.copyMemory(from: buffer.baseAddress! + (offset - windowStart), byteCount: kept)
    }
    if let larger {
      buffer.deallocate()
      buffer = larger
    }
    windowStart = offset
    windowCount = kept
    let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[kept..<min(buffer.count, sizeBytes - offset)])
    guard let file else { throw TxnLogError(.truncated, path: path, offset: offset) }
    windowCount += try fileCalls { () throws(FileSystemError) in
      try files.readFully(file, at: offset + kept, into: rest)
    }
    guard windowCount >= count else { throw TxnLogError(.truncated, path: path, offset: offset) }
  }
}
