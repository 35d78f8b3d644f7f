import ZooKeeperProtocol

/// A part of the directory that a repair has set aside.
package struct RepairedCut: Hashable, Sendable {
  /// The file that was cut, or renamed if `offset` is 0.
  package let path: String
  /// Where the file was cut, in bytes from its start.
  package let offset: Int
  /// Where the bytes are now.
  package let copyPath: String
  /// The error that recovery would have thrown.
  package let reason: TxnLogError
}

extension DataDirectory {
  /// Makes a directory that recovery refuses readable again, by discarding everything after the first damage.
  ///
  /// **It loses transactions that were acknowledged.** A server never calls it by itself. The log is cut after the last
  /// transaction that can be read without a gap, and later segments and damaged snapshots are set aside. Everything
  /// that is cut is first copied, durably, to files whose names begin with `damaged-`, which neither this server nor
  /// Apache's reads.
  ///
  /// - Returns: what was set aside; empty if there was nothing to repair.
  /// - Throws: `noValidSnapshot` if no snapshot can be read; the failure of a call.
  package func repair() throws(TxnLogError) -> [RepairedCut] {
    let snapshots = try snapshots()
    guard let base = snapshots.last(where: isWhole) else {
      throw TxnLogError(.noValidSnapshot, path: snapshotDirectory)
    }
    var cuts: [RepairedCut] = []
    let segments = try segments()
    var walk = LogWalk(files, segments: segments, after: base.zxid)
    do throws(TxnLogError) {
      while try walk.next() != nil {}
    } catch {
      guard let offset = error.offset, let index = segments.firstIndex(where: { $0.path == error.path }) else {
        throw error
      }
      for segment in segments[(index + 1)...].reversed() { cuts.append(try setAside(segment.path, error)) }
      cuts.append(try cutAside(segments[index], at: offset, error))
    }
    for snapshot in snapshots where snapshot.zxid > base.zxid {
      cuts.append(try setAside(snapshot.path, TxnLogError(.damaged(.content), path: snapshot.path)))
    }
    return cuts
  }

  /// Renames a whole file.
  private func setAside(_ path: String, _ reason: TxnLogError) throws(TxnLogError) -> RepairedCut {
    RepairedCut(path: path, offset: 0, copyPath: try setAside(path), reason: reason)
  }

  /// Renames a whole file, durably, to a name that nothing reads, and returns its new path.
  func setAside(_ path: String) throws(TxnLogError) -> String {
    let copyPath = unusedName(for: path, at: 0)
    try fileCalls { () throws(FileSystemError) in
      try files.rename(path, to: copyPath)
      try files.syncDirectory(Files.directory(of: path))
    }
    return copyPath
  }

  /// Copies a part of a file, durably and piece by piece, because it may be larger than the memory.
  func copy(_ path: String, _ range: Range<Int>, to copyPath: String) throws(TxnLogError) {
    try fileCalls { () throws(FileSystemError) in
      let source = try files.open(path, .read)
      defer { files.close(source) }
      let target = try files.open(copyPath, .createOrTruncate)
      defer { files.close(target) }
      let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 16)
      defer { piece.deallocate() }
      var offset = range.lowerBound
      while offset < range.upperBound {
        let wanted = UnsafeMutableRawBufferPointer(rebasing: piece[..<min(piece.count, range.upperBound - offset)])
        let count = try files.readFully(source, at: offset, into: wanted)
        if count == 0 { break }
        try files.writeAll(
          target, at: offset - range.lowerBound, UnsafeRawBufferPointer(rebasing: piece[..<count]), path: copyPath)
        offset += count
      }
      try files.syncAll(target)
      try files.syncDirectory(Files.directory(of: copyPath))
    }
  }

  /// Copies the end of a segment, then cuts it. A segment that is damaged from its first record on is renamed instead.
  private func cutAside(
    _ segment: ZxidFile, at offset: Int, _ reason: TxnLogError
  ) throws(TxnLogError) -> RepairedCut {
    if offset <= LogFormat.headerBytes { return try setAside(segment.path, reason) }
    let copyPath = unusedName(for: segment.path, at: offset)
    let end = try FileWindow(files, path: segment.path).endOfContent(from: offset)
    try copy(segment.path, offset..<end, to: copyPath)
    try fileCalls { () throws(FileSystemError) in
      let file = try files.open(segment.path, .update)
      defer { files.close(file) }
      try files.truncate(file, to: offset)
      try files.syncAll(file)
    }
    return RepairedCut(path: segment.path, offset: offset, copyPath: copyPath, reason: reason)
  }

  /// A path for bytes that are taken out of a file. It does not exist yet, and no server reads files of such a name.
  func unusedName(for path: String, at offset: Int) -> String {
    let directory = Files.directory(of: path)
    let name = path.dropFirst(directory.utf8.count + 1)
    let base = "\(directory)/damaged-\(name)" + (offset > 0 ? ".from-\(offset)" : "")
    var candidate = base
    var number = 1
    while files.exists(candidate) {
      number += 1
      candidate = "\(base)-\(number)"
    }
    return candidate
  }
}
