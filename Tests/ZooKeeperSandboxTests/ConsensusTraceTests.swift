import Testing
import ZooKeeperClient
import ZooKeeperProtocol
import ZooKeeperSandbox

/// What the servers tell each other, as a trace shows it.
@Suite(.timeLimit(.minutes(2)), .serialized)
struct ConsensusTraceTests {
  @Test func writeIsProposedAcknowledgedAndCommitted() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      try await withClient(ensemble.connectString) { client in
        try await client.create("/a")
        let leader = try #require(await ensemble.status().first { $0.role == "leader" }).id
        let trace = await ensemble.startTrace()
        let zxid = try await client.setData("/a", data: [1]).mzxid.rawValue
        // Every server has it once its sync is answered there.
        try await client.sync("/")
        var (events, lostCount) = trace.take()
        // The slower follower's acknowledgement may arrive after the transaction is applied everywhere.
        while events.count(where: { $0.zxid == zxid && $0.kind == .ack && $0.direction == .received }) < 2 {
          try await Task.sleep(for: .milliseconds(2))
          let more = trace.take()
          events += more.events
          lostCount += more.lostCount
        }
        while await ensemble.status().contains(where: { $0.zxid != "0x\(String(zxid, radix: 16))" }) {
          try await Task.sleep(for: .milliseconds(2))
        }
        await ensemble.end(trace)
        events += trace.take().events
        #expect(lostCount == 0 && events.map(\.time) == events.map(\.time).sorted())
        let ofWrite = events.filter { $0.zxid == zxid && $0.kind != .ping && $0.kind != .sync }
        let followers = Set(1...3).subtracting([leader])
        for follower in followers {
          func place(_ kind: ConsensusEvent.Kind, _ direction: ConsensusEvent.Direction, at server: Int) -> Int? {
            ofWrite.firstIndex {
              $0.kind == kind && $0.direction == direction && $0.server == server
                && $0.peer == (server == leader ? follower : leader)
            }
          }
          let order = [
            place(.proposal, .sent, at: leader), place(.proposal, .received, at: follower),
            place(.ack, .sent, at: follower), place(.ack, .received, at: leader),
          ]
          #expect(order.allSatisfy { $0 != nil } && order.compactMap(\.self) == order.compactMap(\.self).sorted())
          let commit = [place(.commit, .sent, at: leader), place(.commit, .received, at: follower)].compactMap(\.self)
          #expect(commit.count == 2 && commit == commit.sorted() && order[0]! < commit[0])
        }
        #expect(ofWrite.first { $0.kind == .proposal }?.detail == "setData /a")
        #expect(ofWrite.allSatisfy { $0.epoch == Int(zxid >> 32) })
        // Nothing is gathered any more.
        try await client.setData("/a", data: [2])
        #expect(trace.take().events == [])
      }
    }
  }

  @Test func delayedMessageIsReceivedLater() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      try await ensemble.delay(.milliseconds(80))
      let trace = await ensemble.startTrace()
      try await withClient(ensemble.connectString) { client in try await client.create("/a") }
      await ensemble.end(trace)
      let proposals = trace.take().events.filter { $0.kind == .proposal && $0.detail == "create /a" }
      let sent = try #require(proposals.first { $0.direction == .sent })
      let received = try #require(proposals.first { $0.direction == .received && $0.server == sent.peer })
      #expect(received.time - sent.time >= .milliseconds(80) && received.peer == sent.server)
    }
  }

  @Test func electionIsSeenFromTheFirstVoteOn() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      let trace = await ensemble.startTrace()
      let leader = try #require(await ensemble.status().first { $0.role == "leader" }).id
      try await ensemble.kill(leader)
      #expect(await ensemble.settle())
      try await ensemble.restart(leader)
      #expect(await ensemble.settle())
      await ensemble.end(trace)
      let events = trace.take().events
      let next = try #require(events.firstIndex { $0.kind == .leading })
      #expect(events[next].direction == .local && events[next].server != leader)
      #expect(events[..<next].contains { $0.kind == .vote && $0.leader != nil && $0.round != nil })
      let kinds: [ConsensusEvent.Kind] = [.followerInfo, .leaderInfo, .ackEpoch, .newLeader, .upToDate]
      for kind in kinds { #expect(events.contains { $0.kind == kind && $0.direction == .received }, "\(kind)") }
      // The server that was started again has its first vote in the trace.
      #expect(events.contains { $0.kind == .vote && $0.server == leader && $0.direction == .sent })
    }
  }

  @Test func traceIsBounded() async throws {
    try await withEnsemble(LocalEnsemble.Settings(size: 3)) { ensemble in
      let (small, large) = (await ensemble.startTrace(limit: 5), await ensemble.startTrace())
      try await withClient(ensemble.connectString) { client in
        for number in 0..<10 { try await client.create("/n\(number)") }
      }
      await ensemble.end(small)
      await ensemble.end(large)
      let (events, lostCount) = small.take()
      let all = large.take()
      #expect(events.count == 5 && lostCount > 0 && all.events.count > 40 && all.lostCount == 0)
    }
  }
}
