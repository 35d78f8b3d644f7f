import Platform
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The whole terminal, for a screen that is redrawn and reads single keys.
///
/// `leave` restores the previous screen. Signals keep their meaning: ^C still interrupts.
final class FullScreen: Sendable {
  /// A key.
  enum Key: Hashable, Sendable {
    case character(Character)
    case up, down, enter, escape
  }

  /// The keys that are pressed, until `leave`.
  let keys: AsyncStream<Key>
  private let saved: termios
  private let hasLeft = Atomic(false)

  /// Switches to the screen; nil if stdin or stdout is not a terminal.
  init?() {
    guard isatty(0) != 0, isatty(1) != 0 else { return nil }
    var settings = termios()
    guard tcgetattr(0, &settings) == 0 else { return nil }
    saved = settings
    settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
    tcsetattr(0, TCSADRAIN, &settings)
    let (stream, continuation) = AsyncStream<Key>.makeStream(bufferingPolicy: .bufferingNewest(16))
    keys = stream
    // The alternate screen, without a cursor.
    Self.write("\u{1b}[?1049h\u{1b}[?25l")
    BlockingThread.start { [self] in
      readKeys(continuation)
      continuation.finish()
    }
  }

  /// Restores the terminal.
  func leave() {
    guard !hasLeft.exchange(true, ordering: .relaxed) else { return }
    Self.write("\u{1b}[?25h\u{1b}[?1049l")
    var settings = saved
    tcsetattr(0, TCSADRAIN, &settings)
  }

  /// Its rows and columns.
  var size: (rows: Int, columns: Int) {
    var size = winsize()
    guard ioctl(1, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0, size.ws_col > 0 else { return (24, 80) }
    return (Int(size.ws_row), Int(size.ws_col))
  }

  /// Replaces the lines on the screen. Lines that are too long are cut off.
  ///
  /// - Parameter emphasized: the index of a line that is shown in reverse video.
  func draw(_ lines: [String], emphasized: Int? = nil) {
    let (rows, columns) = size
    var frame = "\u{1b}[H"
    for (index, line) in lines.prefix(rows).enumerated() {
      let text = String(line.prefix(columns))
      frame += index == emphasized ? "\u{1b}[7m\(text)\u{1b}[27m" : text
      frame += "\u{1b}[K" + (index < min(lines.count, rows) - 1 ? "\r\n" : "")
    }
    Self.write(frame + "\u{1b}[J")
  }

  private static func write(_ text: String) { _ = FileIO.writeAll([UInt8](text.utf8), to: 1) }

  // MARK: Keys

  private func readKeys(_ continuation: AsyncStream<Key>.Continuation) {
    while !hasLeft.load(ordering: .relaxed) {
      var descriptor = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
      // With a timeout, so that the thread ends after `leave`.
      guard poll(&descriptor, 1, 250) > 0 else { continue }
      guard !hasLeft.load(ordering: .relaxed) else { return }
      var bytes = [UInt8](repeating: 0, count: 32)
      let count = read(0, &bytes, bytes.count)
      guard count > 0 else { return }
      for key in Self.keys(in: bytes[..<count]) { continuation.yield(key) }
    }
  }

  /// Decodes the keys that a terminal has sent.
  ///
  /// *Source*: ECMA-48; xterm's control sequences for cursor keys in both of their modes.
  static func keys(in bytes: ArraySlice<UInt8>) -> [Key] {
    var keys: [Key] = []
    var rest = bytes
    while let first = rest.popFirst() {
      guard first == 0x1b else {
        keys.append(first == 0x0d || first == 0x0a ? .enter : .character(Character(Unicode.Scalar(first))))
        continue
      }
      guard let second = rest.first, second == UInt8(ascii: "[") || second == UInt8(ascii: "O") else {
        keys.append(.escape)
        continue
      }
      rest.removeFirst()
      switch rest.popFirst() {
      case UInt8(ascii: "A"): keys.append(.up)
      case UInt8(ascii: "B"): keys.append(.down)
      default: continue
      }
    }
    return keys
  }
}
