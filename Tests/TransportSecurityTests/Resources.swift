/// The stores beside the tests.
enum Resources {
  /// The path of a file of `Stores`.
  static func path(_ name: String, file: String = #filePath) -> String? {
    file.lastIndex(of: "/").map { file[..<$0] + "/Stores/" + name }
  }
}
