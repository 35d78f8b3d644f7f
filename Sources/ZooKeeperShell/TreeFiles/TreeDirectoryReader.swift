import ZooKeeperProtocol
import ZooKeeperTrees

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Reads a subtree from a directory of `TreeDirectoryWriter` or any other origin: files and directories become znodes,
/// and symbolic links are not followed.
struct TreeDirectoryReader: TreeFileReader {
  /// A directory that is being read.
  private struct Level {
    var directory: OpenDirectory
    /// The path of its znode.
    var path: String
    /// The entries that are still to be read, in reverse order, with the names of the znode and of the file.
    var rest: [(znode: String, file: String, mode: mode_t)]
  }

  private var levels: [Level] = []
  private var root: OpenDirectory?
  private let index: [String: TreeDirectoryIndex.Line]
  private(set) var refusals: [(path: String, reason: String)] = []

  init(_ path: String) throws(ShellError) {
    let top = try OpenDirectory(path)
    index = try TreeDirectoryIndex.read(in: top)
    root = top
  }

  mutating func next() throws(ShellError) -> TreeEntry? {
    if let top = root {
      root = nil
      return try enter(top, path: "")
    }
    while let level = levels.last {
      guard let (znode, file, mode) = level.rest.last else {
        level.directory.close()
        levels.removeLast()
        continue
      }
      levels[levels.count - 1].rest.removeLast()
      let path = level.path.isEmpty ? znode : "\(level.path)/\(znode)"
      if mode == S_IFDIR {
        guard levels.count < TreeDirectoryWriter.depthLimit else {
          refusals.append((path, "it is too deep"))
          continue
        }
        return try enter(try level.directory.directory(file), path: path)
      }
      return entry(path, data: try level.directory.read(file))
    }
    return nil
  }

  /// Starts to read a directory.
  ///
  /// - Returns: its znode.
  private mutating func enter(_ directory: OpenDirectory, path: String) throws(ShellError) -> TreeEntry {
    var rest: [(znode: String, file: String, mode: mode_t)] = []
    var data: [UInt8]?
    for (name, mode) in try directory.entries() {
      if name == TreeFileName.data, mode == S_IFREG {
        data = try directory.read(name)
      } else if name == TreeFileName.index || name == OpenDirectory.partName {
        continue
      } else if mode != S_IFREG, mode != S_IFDIR {
        refusals.append(("\(directory.name)/\(name)", "it is neither a file nor a directory"))
      } else if !name.hasPrefix("."), let znode = TreeFileName.decode(name.utf8) {
        rest.append((znode, name, mode))
      } else {
        refusals.append(("\(directory.name)/\(name)", "its name is not valid for a znode"))
      }
    }
    rest.sort { $1.znode.utf8.lexicographicallyPrecedes($0.znode.utf8) }
    levels.append(Level(directory: directory, path: path, rest: rest))
    return entry(path, data: data)
  }

  private func entry(_ path: String, data: [UInt8]?) -> TreeEntry {
    let line = index[path]
    // A file that is no longer empty was changed, and is data.
    let isNull = line?.isNull == true && data?.isEmpty == true
    var entry = TreeEntry(path: path, data: isNull ? nil : data, acl: line?.acl)
    entry.lacksData = data == nil && line == nil
    return entry
  }
}
