internal import CMemory

/// Memory straight from the system, for large pieces: what is given back leaves the process at once, however the rest
/// of its memory is used.
enum SystemMemory {
  /// A multiple of the page's size on all systems.
  private static let pageBytes = 64 << 10

  /// Memory of zeros, at a multiple of `alignment`, which must be a power of two.
  static func take(_ bytes: Int, alignment: Int = pageBytes) -> UnsafeMutableRawPointer {
    guard let memory = memory_map(rounded(bytes), max(alignment, pageBytes)) else {
      preconditionFailure("the system has no \(bytes) bytes of memory left")
    }
    return memory
  }

  /// The same, for what is read at random: in large pages, if there are such, and it fills one. Each small page that is
  /// not in the processor's table of pages costs another wait for memory.
  static func takeLargePages(_ bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= largePageBytes else { return take(bytes) }
    let memory = take(bytes, alignment: largePageBytes)
    memory_prefer_huge_pages(memory, rounded(bytes))
    return memory
  }

  /// The size of a large page of x86-64 and arm64.
  static let largePageBytes = 2 << 20

  /// Gives back what `take` returned for as many bytes.
  static func giveBack(_ memory: UnsafeMutableRawPointer, _ bytes: Int) { memory_unmap(memory, rounded(bytes)) }

  private static func rounded(_ bytes: Int) -> Int { (max(bytes, 1) + pageBytes - 1) & ~(pageBytes - 1) }
}
