import Digests
import NIOPosix
import Synchronization

/// The logins, and a limit of failed attempts.
final class Logins: Sendable {
  private struct Session {
    var user: String
    var end: ContinuousClock.Instant
  }

  private struct State {
    var sessions: [String: Session] = [:]
    var failures: [ContinuousClock.Instant] = []
    var runningCount = 0
  }

  /// The name of the cookie.
  static let cookie = "zkcli"
  private static let lifetime = Duration.seconds(12 * 3600)
  private static let sessionLimit = 1000
  /// The number of failures in a minute after which further attempts in it are refused.
  private static let failureLimit = 20
  private static let failureSpan = Duration.seconds(60)
  private static let runningLimit = 4
  /// The delay of the answer to a failure.
  private static let failureDelay = Duration.milliseconds(500)

  let policy: LoginPolicy
  private let state = Mutex(State())

  init(_ policy: LoginPolicy) { self.policy = policy }

  /// The user that a request belongs to; nil for one that is not logged in.
  func user(of request: WebRequest) -> String? {
    if policy.acceptsCertificates, let certificate = request.client.certificate { return "\(certificate.subject)" }
    guard let secret = request.cookie(Self.cookie) else { return nil }
    return state.withLock { state in
      guard let session = state.sessions[secret], session.end > .now else { return nil }
      return session.user
    }
  }

  /// Checks a token, or a user's password.
  ///
  /// - Returns: the user, and the cookie that proves the login from now on.
  /// - Throws: 401 if they are wrong, 429 after too many attempts.
  func logIn(_ fields: RequestFields, isEncrypted: Bool) async throws -> (user: String, cookie: String) {
    try begin()
    defer { state.withLock { $0.runningCount -= 1 } }
    let user: String?
    if let token = try fields.optionalText("token") {
      let isRight = policy.token.map { MessageDigest.areEqual([UInt8](token.utf8), [UInt8]($0.utf8)) } ?? false
      user = isRight ? "token" : nil
    } else {
      let (name, password) = (try fields.text("user"), try fields.text("password"))
      // The hash is slow by design, so it is computed on another thread.
      let passwords = policy.passwords
      let isRight = try await NIOThreadPool.singleton.runIfActive { passwords?.accepts(password, of: name) ?? false }
      user = isRight ? name : nil
    }
    guard let user else {
      state.withLock { $0.failures.append(.now) }
      try await Task.sleep(for: Self.failureDelay)
      throw WebError(.unauthorized, "LoginFailed", "the login was not accepted", code: 5)
    }
    let secret = SecretText.make()
    state.withLock { state in
      state.sessions = state.sessions.filter { $0.value.end > .now }
      if state.sessions.count >= Self.sessionLimit,
        let oldest = state.sessions.min(by: { $0.value.end < $1.value.end })?.key
      {
        state.sessions[oldest] = nil
      }
      state.sessions[secret] = Session(user: user, end: .now + Self.lifetime)
    }
    return (user, Self.cookie(secret, lifetimeSeconds: Self.lifetime.components.seconds, isEncrypted))
  }

  /// Ends a login.
  ///
  /// - Returns: the cookie that replaces the previous one.
  func logOut(_ request: WebRequest) -> String {
    if let secret = request.cookie(Self.cookie) { state.withLock { $0.sessions[secret] = nil } }
    return Self.cookie("", lifetimeSeconds: 0, request.client.isEncrypted)
  }

  private func begin() throws(WebError) {
    let isAllowed = state.withLock { state in
      state.failures.removeAll { $0 < .now - Self.failureSpan }
      guard state.failures.count < Self.failureLimit, state.runningCount < Self.runningLimit else { return false }
      state.runningCount += 1
      return true
    }
    guard isAllowed else { throw .tooMany("there were too many attempts to log in") }
  }

  private static func cookie(_ secret: String, lifetimeSeconds: Int64, _ isEncrypted: Bool) -> String {
    "\(cookie)=\(secret); Path=/; Max-Age=\(lifetimeSeconds); HttpOnly; SameSite=Strict"
      + (isEncrypted ? "; Secure" : "")
  }
}
