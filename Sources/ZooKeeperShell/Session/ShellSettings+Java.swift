import ZooKeeperProtocol

/// Java's properties, from a file that `--client-configuration` names or from flags for `java`.
extension ShellSettings {
  /// Applies the flags that Apache's scripts would pass to `java`.
  ///
  /// - Throws: a usage error if a property asks for protection that this build does not have.
  mutating func apply(_ java: JavaEnvironment) throws(ShellError) {
    for (place, text) in java.notUnderstood {
      // A wrong guess about this property would be worse than not to connect.
      if text.contains("zookeeper.client.secure=true"), !tls.isWanted { throw Self.unprotected(place, "TLS") }
      warnings.append(
        "\(place): ignored, because only a shell can evaluate it: \(JavaEnvironment.masked(text))")
    }
    for source in java.sources {
      for property in source.flags.properties {
        let isKnown = try apply(property.key, property.value, from: source.name)
        remarks.append("\(isKnown ? "used" : "ignored") -D\(property.key) from \(source.name)")
      }
      if !source.flags.passedOver.isEmpty {
        let flags = source.flags.passedOver.map(JavaEnvironment.masked).joined(separator: " ")
        remarks.append("ignored \(flags) from \(source.name)")
      }
    }
  }

  /// Applies a file of properties.
  ///
  /// - Throws: a usage error if a property asks for protection that this build does not have.
  mutating func apply(_ properties: JavaProperties) throws(ShellError) {
    warnings += properties.warnings
    for entry in properties.entries {
      let place = "\(properties.file):\(entry.line)"
      if !(try apply(entry.key, entry.value, from: place)) {
        warnings.append("\(place): the property \(entry.key) has no effect here")
      }
    }
  }

  /// Applies one property.
  ///
  /// - Returns: whether it has an effect here.
  private mutating func apply(_ key: String, _ value: String, from source: String) throws(ShellError) -> Bool {
    switch tls.take(key, value) {
    case .taken: return true
    case .fault(let reason): throw .usage("\(source): \(key) \(reason)")
    case .unknown: break
    }
    if javaSASL.take(key, value, from: source) { return true }
    if let protection = ProtectionKey.unsupported(client: key, value: value) {
      throw Self.unprotected("\(source): \(key)", protection)
    }
    switch key {
    case "zookeeper.clientCnxnSocket": break
    case "zookeeper.request.timeout":
      if let limit = Int64(value), limit > 0 { timeLimit = .milliseconds(limit) }
    case "jute.maxbuffer":
      if let size = Int(value), size > 0 { maximumFrameBytes = size }
    default: return false
    }
    return true
  }

  private static func unprotected(_ place: String, _ protection: String) -> ShellError {
    .usage(
      "\(place) asks for \(protection), which this build does not support",
      hint: "remove it and the settings that belong to it, and the connection is not protected")
  }
}
