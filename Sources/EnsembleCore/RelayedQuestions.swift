import Zab
import ZooKeeperProtocol

/// On an observer master: who has asked the leader for what, so that each answer goes back to the right one. The leader
/// answers in the order of the questions. Those of this server's own clients are among them.
struct RelayedQuestions {
  /// Questions, oldest first; those before `head` are answered.
  private struct Line<Question> {
    private var questions: [Question?] = []
    private var head = 0

    mutating func append(_ question: Question) { questions.append(question) }

    mutating func removeFirst(where isAnswered: (Question) -> Bool) -> Question? {
      for index in head..<questions.count {
        guard let question = questions[index], isAnswered(question) else { continue }
        questions[index] = nil
        while head < questions.count, questions[head] == nil { head += 1 }
        if head >= 64, head * 2 >= questions.count {
          questions.removeFirst(head)
          head = 0
        }
        return question
      }
      return nil
    }
  }

  /// Who has asked: an observer, or nil for a client of this server.
  private struct Asker {
    let observer: ConnectionID?
  }

  private var syncs = Line<Asker>()
  private var sessions = Line<(session: SessionID, asker: Asker)>()
  private var touches: [SessionID: Int32] = [:]
  /// Who has asked about a session last, because its client has come there.
  private var owners: [SessionID: Asker] = [:]

  /// Records a sync that was forwarded.
  mutating func noteSync(from observer: ConnectionID?) { syncs.append(Asker(observer: observer)) }

  /// Records a question about a session that was forwarded.
  mutating func noteSession(_ session: SessionID, from observer: ConnectionID?) {
    sessions.append((session, Asker(observer: observer)))
    owners[session] = Asker(observer: observer)
  }

  /// Whether a request of a session may still be forwarded: not if the session has been moved to another server since.
  ///
  /// The leader refuses late requests from a server that a session was moved from (`SessionMoved`), but to the leader
  /// this server and all its observers are one. An Apache observer master does not check this, and so a late request is
  /// performed there.
  func isCurrent(_ session: SessionID, from observer: ConnectionID?) -> Bool {
    guard let owner = owners[session] else { return true }
    return owner.observer == observer
  }

  /// Forgets who has a session, because it has ended.
  mutating func forget(_ session: SessionID) { owners[session] = nil }

  /// Records that an observer has heard from a session.
  mutating func noteTouch(_ touch: SessionTouch) { touches[touch.sessionID] = touch.timeoutMilliseconds }

  /// The observer whose sync is answered; nil if it was this server's own.
  mutating func takeSync() -> ConnectionID? { syncs.removeFirst { _ in true }?.observer }

  /// The observer whose question about a session is answered; nil if it was this server's own.
  mutating func takeSession(_ session: SessionID) -> ConnectionID? {
    sessions.removeFirst { $0.session == session }?.asker.observer
  }

  /// The sessions that observers have heard from since the last call.
  mutating func takeTouches() -> [SessionTouch] {
    if touches.isEmpty { return [] }
    defer { touches.removeAll(keepingCapacity: true) }
    return touches.sorted { $0.key.rawValue < $1.key.rawValue }.map {
      SessionTouch(sessionID: $0.key, timeoutMilliseconds: $0.value)
    }
  }
}
