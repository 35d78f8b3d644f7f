/// One place in the tree that breaks a rule of the house.
struct Breach: Equatable, CustomStringConvertible {
  let path: String
  /// Counted from 1; 0 where the breach is of the whole file or directory.
  let line: Int
  let message: String

  var description: String { "\(path):\(line): \(message)" }
}
