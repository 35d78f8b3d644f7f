import Digests

/// Users and the hashes of their passwords.
///
/// *Shape*: a line `user:$5$salt$hash` or `user:$6$salt$hash` for each, with hashes of `openssl passwd -5` or
/// `htpasswd`; empty lines and lines that begin with `#` are skipped.
package struct PasswordFile: Sendable {
  private let hashes: [String: SHACrypt]

  /// - Throws: an error with the number of the malformed line.
  package init(parsing text: String) throws(WebStartError) {
    var hashes: [String: SHACrypt] = [:]
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      let line = line.last == "\r" ? line.dropLast() : line
      guard !line.isEmpty, !line.hasPrefix("#") else { continue }
      let halves = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      guard halves.count == 2, !halves[0].isEmpty, let hash = SHACrypt(parsing: halves[1]) else {
        throw WebStartError(
          "line \(index + 1) of the password file is not user:hash",
          hint: "make the hash with: openssl passwd -5")
      }
      guard hashes.updateValue(hash, forKey: String(halves[0])) == nil else {
        throw WebStartError("the password file has the user \(halves[0]) twice")
      }
    }
    guard !hashes.isEmpty else { throw WebStartError("the password file has no users") }
    self.hashes = hashes
  }

  /// Whether a password is the user's.
  ///
  /// An unknown user takes as long as a known one, so that the time does not reveal which users exist.
  ///
  /// *Thread*: one that may be busy for some time.
  func accepts(_ password: String, of user: String) -> Bool {
    guard let known = hashes[user] ?? hashes.first?.value else { return false }
    let isRight = known.accepts(password)
    return isRight && hashes[user] != nil
  }
}

/// The password hash of `crypt` with SHA-256 or SHA-512.
///
/// *Source*: Ulrich Drepper, "Unix crypt using SHA-256 and SHA-512".
struct SHACrypt: Hashable, Sendable {
  /// The maximum number of rounds; more would take seconds.
  static let roundLimit = 1_000_000
  /// The maximum length of a password, because the time grows with the length.
  static let passwordLimitBytes = 256

  private let digest: MessageDigest
  private let rounds: Int
  private let salt: [UInt8]
  private let hash: String

  /// Reads `$5$[rounds=N$]salt$hash`, or `$6$` for SHA-512; nil for any other text.
  init?(parsing text: some StringProtocol) {
    var parts = String(text).split(separator: "$" as Character, omittingEmptySubsequences: false).map(String.init)[...]
    guard parts.popFirst() == "", let kind = parts.popFirst(), ["5", "6"].contains(kind) else { return nil }
    digest = kind == "5" ? .sha256 : .sha512
    if let first = parts.first, first.hasPrefix("rounds=") {
      guard let rounds = Int(first.dropFirst("rounds=".count)), (1000...Self.roundLimit).contains(rounds) else {
        return nil
      }
      self.rounds = rounds
      parts.removeFirst()
    } else {
      rounds = 5000
    }
    guard parts.count == 2, let salt = parts.first, let hash = parts.last, salt.utf8.count <= 16,
      hash.utf8.count == (kind == "5" ? 43 : 86)
    else { return nil }
    self.salt = [UInt8](salt.utf8)
    self.hash = hash
  }

  /// Whether a password has this hash.
  func accepts(_ password: String) -> Bool {
    let password = [UInt8](password.utf8)
    guard password.count <= Self.passwordLimitBytes else { return false }
    return MessageDigest.areEqual([UInt8](encode(compute(password)).utf8), [UInt8](hash.utf8))
  }

  private func compute(_ password: [UInt8]) -> [UInt8] {
    let size = digest.lengthBytes
    func filled(_ block: [UInt8], to count: Int) -> [UInt8] { (0..<count).map { block[$0 % size] } }
    let alternate = digest.hash(password + salt + password)
    var first = password + salt + filled(alternate, to: password.count)
    var bits = password.count
    while bits > 0 {
      first += bits & 1 == 1 ? alternate : password
      bits >>= 1
    }
    var sum = digest.hash(first)
    let repeated = digest.hash((0..<password.count).flatMap { _ in password })
    let passwordPart = filled(repeated, to: password.count)
    let saltHash = digest.hash((0..<(16 + Int(sum[0]))).flatMap { _ in salt })
    let saltPart = (0..<salt.count).map { saltHash[$0 % size] }
    for round in 0..<rounds {
      var input = round & 1 == 1 ? passwordPart : sum
      if round % 3 != 0 { input += saltPart }
      if round % 7 != 0 { input += passwordPart }
      input += round & 1 == 1 ? sum : passwordPart
      sum = digest.hash(input)
    }
    return sum
  }

  private static let digits = [UInt8]("./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

  /// The hash in the byte order and the digits of `crypt`.
  private func encode(_ sum: [UInt8]) -> String {
    let third = digest == .sha256 ? 10 : 21
    var groups: [(Int?, Int?, Int?)] = []
    var (a, b, c) = (0, third, 2 * third)
    for _ in 0..<third {
      groups.append((a, b, c))
      // The three places rotate: one way with SHA-256, the other way with SHA-512.
      (a, b, c) = digest == .sha256 ? (c + 1, a + 1, b + 1) : (b + 1, c + 1, a + 1)
    }
    groups.append(digest == .sha256 ? (nil, 31, 30) : (nil, nil, 63))
    var text: [UInt8] = []
    for (high, middle, low) in groups {
      var value = [high, middle, low].reduce(0) { $0 << 8 | ($1.map { Int(sum[$0]) } ?? 0) }
      let count = [high, middle, low].compactMap(\.self).count + 1
      for _ in 0..<count {
        text.append(Self.digits[value & 63])
        value >>= 6
      }
    }
    return String(decoding: text, as: UTF8.self)
  }
}
