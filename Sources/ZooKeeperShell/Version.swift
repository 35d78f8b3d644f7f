/// The program's version.
package enum Version {
  /// Of this program.
  package static let number = "0.1.0"
  /// Of Apache ZooKeeper whose shell this one can stand in for.
  package static let apacheNumber = "3.9.5"

  /// What `version` and `--version` print.
  package static let text = "zkcli \(number) (speaks the protocol of Apache ZooKeeper 3.4 to 3.9)"
  /// What follows `ZooKeeper CLI version:` in zkCli.sh's dialect.
  static let compatText = "\(apacheNumber)-zkcli-\(number)"
}
