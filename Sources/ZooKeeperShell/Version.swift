/// The program's version.
package enum Version {
  /// The version of this program.
  package static let number = "0.1.0"
  /// The version of Apache ZooKeeper whose shell this one can replace.
  package static let apacheNumber = "3.9.5"

  /// The output of `version` and `--version`.
  package static let text = "zkcli \(number) (speaks the protocol of Apache ZooKeeper 3.4 to 3.9)"
  /// The text after `ZooKeeper CLI version:` in zkCli.sh's dialect.
  static let compatText = "\(apacheNumber)-zkcli-\(number)"
}
