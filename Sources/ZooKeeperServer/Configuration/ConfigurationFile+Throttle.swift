import ZooKeeperProtocol

/// The keys that protect the server from overload.
extension ConfigurationFile {
  /// Takes a key about the speed of handshakes.
  ///
  /// - Returns: whether it is one.
  mutating func takeThrottle(_ entry: PropertiesText.Entry) -> Bool {
    let prefix = "connection_throttle_"
    guard entry.key.hasPrefix(prefix) else { return false }
    switch entry.key.dropFirst(prefix.count) {
    case "tokens": systemInteger(entry, default: 0) { $0.connectionThrottle.tokens = max(0, $1) }
    case "fill_time": systemInteger(entry, default: 1) { $0.connectionThrottle.fillMilliseconds = max(1, $1) }
    case "fill_count": systemInteger(entry, default: 1) { $0.connectionThrottle.fillCount = max(0, $1) }
    case "freeze_time": systemInteger(entry, default: -1) { $0.connectionThrottle.freezeMilliseconds = $1 }
    case "drop_increase": fraction(entry) { $0.connectionThrottle.dropIncrease = $1 }
    case "drop_decrease": fraction(entry) { $0.connectionThrottle.dropDecrease = $1 }
    case "decrease_ratio": fraction(entry) { $0.connectionThrottle.decreaseRatio = $1 }
    case "weight_enabled": systemBoolean(entry) { $0.connectionThrottle.isWeighed = $1 }
    // Of 0 and less, the defaults are used.
    case "global_session_weight":
      systemInteger(entry, default: 3) { $0.connectionThrottle.newSessionWeight = $1 > 0 ? $1 : 3 }
    case "renew_session_weight":
      systemInteger(entry, default: 2) { $0.connectionThrottle.renewalWeight = $1 > 0 ? $1 : 2 }
    case "local_session_weight":
      systemInteger(entry, default: 1) { $0.connectionThrottle.localSessionWeight = $1 > 0 ? $1 : 1 }
    default: return false
    }
    return true
  }

  /// Takes a key about the number and the size of requests that are handled at a time.
  ///
  /// - Returns: whether it is one.
  mutating func takeLimit(_ entry: PropertiesText.Entry) -> Bool {
    switch entry.key {
    case "request_throttle_max_requests":
      systemInteger(entry, default: 0) { $0.requestLimits.maximumRequests = max(0, $1) }
    case "request_throttle_stall_time":
      systemInteger(entry, default: 100) { $0.requestLimits.stallMilliseconds = max(1, $1) }
    case "request_throttle_drop_stale": systemBoolean(entry) { $0.requestLimits.dropsStaleRequests = $1 }
    case "request_stale_connection_check": systemBoolean(entry) { $0.requestLimits.isStaleWithoutConnection = $1 }
    case "request_stale_latency_check": systemBoolean(entry) { $0.requestLimits.isStaleAfterSessionTimeout = $1 }
    case "throttled_op_wait_time":
      systemInteger(entry, default: 0) { $0.requestLimits.refusalMilliseconds = max(0, $1) }
    case "request_throttler.shutdownTimeout":
      systemInteger(entry, default: 3000) { $0.answerLimitMilliseconds = max(0, $1) }
    // 0 and less switch it off.
    case "largeRequestThreshold":
      systemInteger(entry, default: -1) { $0.requestLimits.largeRequestThresholdBytes = $1 > 0 ? $1 : nil }
    // Of 0 and less, the default is used.
    case "largeRequestMaxBytes":
      systemInteger(entry, default: 100 << 20) { $0.requestLimits.largeRequestLimitBytes = $1 > 0 ? $1 : 100 << 20 }
    default: return false
    }
    return true
  }

  /// A number from 0 to 1. Any other text is a fault, as it ends Apache's server.
  private mutating func fraction(_ entry: PropertiesText.Entry, _ set: (inout ServerConfiguration, Double) -> Void) {
    guard let number = Double(entry.value), (0...1).contains(number) else {
      return fail(entry, "\(entry.key) must be a number from 0 to 1, not \"\(entry.value)\"")
    }
    set(&configuration, number)
  }
}
