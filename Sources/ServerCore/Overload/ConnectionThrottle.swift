/// How fast sessions may begin and be resumed.
///
/// A token bucket: each handshake takes tokens, which come back with time. A connection whose handshake finds too few
/// is closed. With a freeze time, handshakes are also refused at random, more often the longer the bucket was empty, so
/// that a storm of clients spreads out instead of competing for each token.
///
/// *Source*: `org.apache.zookeeper.server.BlueThrottle`, with its defaults.
package struct ConnectionThrottle: Hashable, Sendable {
  /// What an administrator sets; names in comments are those of `connection_throttle_*`.
  package struct Settings: Hashable, Sendable {
    /// `tokens`: how many the bucket has; 0 switches the throttle off.
    package var tokens = 0
    /// `fill_time`, in milliseconds: how long it takes until `fillCount` tokens come back.
    package var fillMilliseconds = 1
    /// `fill_count`.
    package var fillCount = 1
    /// `freeze_time`, in milliseconds: how long the probability of a refusal stays as it is; -1 for no such refusals.
    package var freezeMilliseconds = -1
    /// `drop_increase`: what is added to the probability when the bucket is empty.
    package var dropIncrease = 0.02
    /// `drop_decrease`: what is taken from it when the bucket is full enough.
    package var dropDecrease = 0.002
    /// `decrease_ratio`: the part of the bucket that may be missing then.
    package var decreaseRatio = 0.0
    /// `weight_enabled`: whether handshakes cost different numbers of tokens.
    package var isWeighed = false
    /// `global_session_weight`: the tokens for a new session, at least 1. No fewer than for a local one are taken.
    package var newSessionWeight = 3
    /// `renew_session_weight`: the tokens for one that is resumed, at least 1. No fewer than for a local one are taken.
    package var renewalWeight = 2
    /// `local_session_weight`: the tokens for a new session that is local to its server, at least 1.
    package var localSessionWeight = 1

    /// The throttle of an Apache server whose configuration says nothing of it: none.
    package init() {}
  }

  /// What a handshake asks for.
  enum Handshake: Hashable, Sendable {
    case newSession
    case newLocalSession
    case earlierSession
  }

  private let settings: Settings
  private let capacity: Int
  private let fillCount: Int
  private var tokens: Int
  private var lastFill: Int64
  private var lastFreeze: Int64
  /// How probable it is that a handshake is refused although there are tokens, from 0 to 1.
  package private(set) var dropProbability = 0.0
  /// The state of the generator of random numbers.
  private var random: UInt64

  /// - Parameters:
  ///   - now: milliseconds of the monotonic clock.
  ///   - seed: where the random numbers begin.
  init(_ settings: Settings, now: Int64, seed: UInt64) {
    self.settings = settings
    // The numbers of tokens are meant for new sessions.
    let weight = Self.weight(of: .newSession, settings)
    capacity = Self.product(max(0, settings.tokens), weight)
    fillCount = Self.product(max(0, settings.fillCount), weight)
    tokens = capacity
    lastFill = now
    lastFreeze = now
    random = seed
  }

  /// How many tokens are missing.
  var deficit: Int { capacity - tokens }

  /// Takes the tokens of a handshake.
  ///
  /// - Parameters:
  ///   - handshake: what it asks for.
  ///   - now: milliseconds of the monotonic clock.
  /// - Returns: false if the connection must be closed.
  mutating func admit(_ handshake: Handshake, now: Int64) -> Bool {
    guard capacity > 0 else { return true }
    fill(now)
    guard settings.freezeMilliseconds < 0 || !isDropped(now) else { return false }
    let need = Self.weight(of: handshake, settings)
    guard tokens >= need else { return false }
    tokens -= need
    return true
  }

  private static func weight(of handshake: Handshake, _ settings: Settings) -> Int {
    guard settings.isWeighed else { return 1 }
    return switch handshake {
    case .newSession: max(settings.newSessionWeight, settings.localSessionWeight)
    case .newLocalSession: settings.localSessionWeight
    case .earlierSession: max(settings.renewalWeight, settings.localSessionWeight)
    }
  }

  private mutating func fill(_ now: Int64) {
    let passed = now - lastFill
    let interval = Int64(max(1, settings.fillMilliseconds))
    guard passed > interval else { return }
    let (grown, isLarge) = passed.multipliedReportingOverflow(by: Int64(fillCount))
    tokens = isLarge ? capacity : Int(min(Int64(capacity), Int64(tokens) + min(grown / interval, Int64(capacity))))
    lastFill = now
  }

  private mutating func isDropped(_ now: Int64) -> Bool {
    if now - lastFreeze > Int64(settings.freezeMilliseconds) {
      if deficit == capacity {
        dropProbability = min(dropProbability + settings.dropIncrease, 1)
      } else if Double(deficit) <= (Double(capacity) * settings.decreaseRatio).rounded() {
        dropProbability = max(dropProbability - settings.dropDecrease, 0)
      }
      lastFreeze = now
    }
    return dropProbability > 0 && nextFraction() < dropProbability
  }

  /// A number from 0 to below 1.
  ///
  /// *Source*: Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (SplitMix64).
  private mutating func nextFraction() -> Double {
    random &+= 0x9e37_79b9_7f4a_7c15
    var mixed = random
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    mixed ^= mixed >> 31
    return Double(mixed >> 11) / Double(1 << 53)
  }

  /// A product that is at most `Int32.max`, as the numbers of Apache's server are.
  private static func product(_ left: Int, _ right: Int) -> Int {
    let (product, isLarge) = left.multipliedReportingOverflow(by: right)
    return isLarge ? Int(Int32.max) : min(product, Int(Int32.max))
  }
}
