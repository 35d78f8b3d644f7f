/// Decompresses gzip files.
///
/// Written for snapshots that another server has left: it is short rather than fast.
///
/// *Source*: RFC 1951, RFC 1952; the method of Mark Adler's `puff.c`.
struct Inflate {
  private let input: UnsafeRawBufferPointer
  private var position: Int
  private var bitBuffer: UInt32 = 0
  private var bitCount = 0
  private var output: [UInt8] = []
  private let limitBytes: Int

  /// Why a stream was given up.
  private struct Malformed: Error {}

  private init(_ input: UnsafeRawBufferPointer, from position: Int, limitBytes: Int) {
    self.input = input
    self.position = position
    self.limitBytes = limitBytes
  }

  /// What the gzip file `bytes` stands for; nil if it is not one, or damaged, or longer than `limitBytes`.
  static func gunzip(_ bytes: UnsafeRawBufferPointer, limitBytes: Int) -> [UInt8]? {
    guard let start = headerEnd(bytes) else { return nil }
    var inflate = Inflate(bytes, from: start, limitBytes: limitBytes)
    do throws(Malformed) {
      try inflate.run()
    } catch {
      return nil
    }
    guard bytes.count - inflate.position >= 8 else { return nil }
    let checksum = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: inflate.position, as: UInt32.self))
    let length = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: inflate.position + 4, as: UInt32.self))
    guard length == UInt32(truncatingIfNeeded: inflate.output.count) else { return nil }
    return inflate.output.withUnsafeBytes { CRC32.checksum($0) } == checksum ? inflate.output : nil
  }

  /// Where the compressed data begin.
  private static func headerEnd(_ bytes: UnsafeRawBufferPointer) -> Int? {
    guard bytes.count >= 18, bytes[0] == 0x1f, bytes[1] == 0x8b, bytes[2] == 8 else { return nil }
    let flags = bytes[3]
    var position = 10
    if flags & 4 != 0 { position += 2 + Int(bytes[10]) + Int(bytes[11]) << 8 }
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      while position < bytes.count, bytes[position] != 0 { position += 1 }
      position += 1
    }
    if flags & 2 != 0 { position += 2 }
    return position < bytes.count ? position : nil
  }

  private mutating func run() throws(Malformed) {
    var isLast = false
    while !isLast {
      isLast = try bits(1) == 1
      switch try bits(2) {
      case 0: try copyStored()
      case 1: try decode(Self.fixedLengths, Self.fixedDistances)
      case 2:
        let (lengths, distances) = try readTables()
        try decode(lengths, distances)
      default: throw Malformed()
      }
    }
  }

  private mutating func bits(_ count: Int) throws(Malformed) -> Int {
    while bitCount < count {
      guard position < input.count else { throw Malformed() }
      bitBuffer |= UInt32(input[position]) << UInt32(bitCount)
      position += 1
      bitCount += 8
    }
    defer {
      bitBuffer >>= UInt32(count)
      bitCount -= count
    }
    return Int(bitBuffer & ((1 << UInt32(count)) - 1))
  }

  private mutating func copyStored() throws(Malformed) {
    bitBuffer = 0
    bitCount = 0
    guard input.count - position >= 4 else { throw Malformed() }
    let length = Int(input[position]) | Int(input[position + 1]) << 8
    let complement = Int(input[position + 2]) | Int(input[position + 3]) << 8
    position += 4
    guard length == ~complement & 0xffff, length <= input.count - position, length <= limitBytes - output.count else {
      throw Malformed()
    }
    output.append(contentsOf: input[position..<position + length])
    position += length
  }

  /// A canonical Huffman code: how many codes have each length, and the symbols in the order of their codes.
  private struct Code {
    var counts = [Int](repeating: 0, count: 16)
    var symbols: [Int] = []

    init(lengths: [Int]) {
      for length in lengths { counts[length] += 1 }
      counts[0] = 0
      for length in 1..<16 {
        for (symbol, its) in lengths.enumerated() where its == length { symbols.append(symbol) }
      }
    }
  }

  private static let fixedLengths = Code(
    lengths: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 })
  private static let fixedDistances = Code(lengths: [Int](repeating: 5, count: 30))
  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
  ]
  private static let lengthExtras = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145,
    8193, 12289, 16385, 24577,
  ]

  private mutating func symbol(_ code: Code) throws(Malformed) -> Int {
    var value = 0
    var first = 0
    var index = 0
    for length in 1..<16 {
      value |= try bits(1)
      let count = code.counts[length]
      if value - count < first {
        guard index + value - first < code.symbols.count else { throw Malformed() }
        return code.symbols[index + value - first]
      }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw Malformed()
  }

  private mutating func decode(_ lengths: Code, _ distances: Code) throws(Malformed) {
    while true {
      let symbol = try symbol(lengths)
      if symbol == 256 { return }
      if symbol < 256 {
        guard output.count < limitBytes else { throw Malformed() }
        output.append(UInt8(symbol))
        continue
      }
      guard symbol - 257 < Self.lengthBases.count else { throw Malformed() }
      let length = Self.lengthBases[symbol - 257] + (try bits(Self.lengthExtras[symbol - 257]))
      let distanceSymbol = try self.symbol(distances)
      guard distanceSymbol < Self.distanceBases.count else { throw Malformed() }
      let distance = Self.distanceBases[distanceSymbol] + (try bits(max(0, distanceSymbol / 2 - 1)))
      guard distance <= output.count, length <= limitBytes - output.count else { throw Malformed() }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private static let codeLengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

  /// The codes in front of a dynamic block.
  private mutating func readTables() throws(Malformed) -> (Code, Code) {
    let lengthCount = try bits(5) + 257
    let distanceCount = try bits(5) + 1
    let codeCount = try bits(4) + 4
    var codeLengths = [Int](repeating: 0, count: 19)
    for index in 0..<codeCount { codeLengths[Self.codeLengthOrder[index]] = try bits(3) }
    let code = Code(lengths: codeLengths)
    var lengths: [Int] = []
    while lengths.count < lengthCount + distanceCount {
      let symbol = try symbol(code)
      switch symbol {
      case 16:
        guard let last = lengths.last else { throw Malformed() }
        lengths += [Int](repeating: last, count: 3 + (try bits(2)))
      case 17: lengths += [Int](repeating: 0, count: 3 + (try bits(3)))
      case 18: lengths += [Int](repeating: 0, count: 11 + (try bits(7)))
      default: lengths.append(symbol)
      }
    }
    guard lengths.count == lengthCount + distanceCount else { throw Malformed() }
    return (Code(lengths: Array(lengths[..<lengthCount])), Code(lengths: Array(lengths[lengthCount...])))
  }
}
