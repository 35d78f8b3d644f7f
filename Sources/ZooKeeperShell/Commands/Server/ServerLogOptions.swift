import ZooKeeperSandbox

/// The options for a server's log.
struct ServerLogOptions: Sendable {
  /// The largest number of earlier files that can be kept.
  private static let maximumFileCount: Int64 = 1000

  var settings = DaemonLog.Settings()
  /// The options in the form in which they are passed to a server in the background.
  private(set) var words: [String] = []

  init() {}

  /// Reads the options.
  ///
  /// - Parameter isVerbose: whether `-v` selects a lower level, unless a level is given.
  init(_ invocation: Invocation, isVerbose: Bool) throws(ShellError) {
    if isVerbose { settings.level = "debug" }
    if let word = invocation.value(.logLevel) {
      settings.level = try ValueParser.choice(word, of: "--log-level", among: DaemonLog.Settings.levels)
    }
    if let word = invocation.value(.logFormat) {
      settings.format = try ValueParser.choice(word, of: "--log-format", among: DaemonLog.Settings.formats)
    }
    if let word = invocation.value(.logFile) { settings.file = try ValueParser.text(word, of: "--log-file") }
    if let word = invocation.value(.logSize) {
      settings.fileBytes = try ValueParser.sizeBytes(word, of: "--log-size")
    }
    if let word = invocation.value(.logFiles) {
      settings.earlierFileCount = Int(
        try ValueParser.integer(word, of: "--log-files", in: 0...Self.maximumFileCount))
    }
    let standard = DaemonLog.Settings()
    if settings.level != standard.level { words.append("--log-level=\(settings.level)") }
    if settings.format != standard.format { words.append("--log-format=\(settings.format)") }
    if let file = settings.file { words.append("--log-file=\(file)") }
    if settings.fileBytes != standard.fileBytes { words.append("--log-size=\(settings.fileBytes)") }
    if settings.earlierFileCount != standard.earlierFileCount {
      words.append("--log-files=\(settings.earlierFileCount)")
    }
  }
}
