import Testing
import ZooKeeperProtocol

@testable import ZooKeeperRecipes

/// The names of other implementations, and the order in them.
@Suite(.timeLimit(.minutes(10))) struct NameTests {
  @Test(
    arguments: [
      ("_c_6e200be4-a06d-4159-b5ef-08c3c4feb228-lock-0000000012", 12, false),
      ("_c_6e200be4-a06d-4159-b5ef-08c3c4feb228-__READ__0000000003", 3, true),
      ("_c_6e200be4-a06d-4159-b5ef-08c3c4feb228-__WRIT__0000000004", 4, false),
      ("_c_6e200be4-a06d-4159-b5ef-08c3c4feb228-latch-0000000000", 0, false),
      ("_c_6e200be4-a06d-4159-b5ef-08c3c4feb228-lease-2147483647", .max, false),
      ("5f3c9d2ea06d4159b5ef08c3c4feb228__lock__0000000007", 7, false),
      ("5f3c9d2ea06d4159b5ef08c3c4feb228__rlock__0000000008", 8, true),
      ("lock-0000000009", 9, false), ("_c_x-lock--000000001", -1, false), ("_c_x-lock--2147483648", .min, false),
    ] as [(String, Int32, Bool)])
  func positionsAreRead(name: String, sequence: Int32, isShared: Bool) throws {
    let position = try #require(WaitQueue.Position(name: name))
    #expect(position.sequence == sequence)
    #expect(position.isShared == isShared)
  }

  @Test(arguments: ["locks", "ready", "lock-", "lock-12", "lock-000000000x", "lock-+000000001", ".locks", ""])
  func otherNamesAreIgnored(name: String) { #expect(WaitQueue.Position(name: name) == nil) }

  @Test func creationTellsTheOrderWhereItIsKnown() throws {
    var positions = try ["lock-2147483646", "b-lock-2147483647", "lock--2147483648", "a-lock-2147483647"].map {
      try #require(WaitQueue.Position(name: $0))
    }
    #expect(positions[0].wasCreated(before: positions[1]) && !positions[0].wasCreated(before: positions[0]))
    for (index, zxid) in [5, 6, 7, 7].enumerated() { positions[index].creation = Zxid(rawValue: Int64(zxid)) }
    let sorted = positions.shuffled().sorted { $0.wasCreated(before: $1) }.map(\.name)
    #expect(sorted == ["lock-2147483646", "b-lock-2147483647", "a-lock-2147483647", "lock--2147483648"])
  }

  @Test(
    arguments: [(0, "queue-100000000"), (1, "queue-100000001"), (-1, "queue-0FFFFFFFF"), (.min, "queue-080000000")]
      as [(Int32, String)])
  func prioritiesAreWrittenAsCuratorDoes(priority: Int32, prefix: String) throws {
    #expect(QueueItemName.prefix(of: priority) == prefix)
    let name = try #require(QueueItemName(prefix + "0000000042"))
    #expect(name.priority == priority && name.sequence == 42 && name.isFramed)
  }

  @Test func itemsComeOutByPriorityThenInOrder() {
    let names = [
      "entry-100-0000000001", "qn-0000000005", "queue-1000000010000000000", "qn-0000000002",
      "queue-0FFFFFFFF0000000009",
      "queue-0000000004",
    ]
    let sorted = names.compactMap(QueueItemName.init).sorted { $0.isBefore($1) }.map(\.name)
    #expect(
      sorted == [
        "queue-0FFFFFFFF0000000009", "qn-0000000002", "queue-0000000004", "qn-0000000005",
        "queue-1000000010000000000", "entry-100-0000000001",
      ])
    for name in [".locks", "qn-", "queue-x", "queue-2000000010000000000", "entry-0000000001"] {
      #expect(QueueItemName(name) == nil, "\(name)")
    }
  }

  @Test(arguments: [[], [1], [UInt8](repeating: 7, count: 300)] as [[UInt8]])
  func framesHoldWhatWasPutIn(data: [UInt8]) {
    let framed = QueueItemName.framed(data)
    #expect(framed.count == data.count + 10)
    #expect(QueueItemName.unframed(framed) == data)
    #expect(QueueItemName.unframed([UInt8](framed.dropLast())) == nil)
  }

  @Test(
    arguments: [
      (Counter.Format.long, [0, 0, 0, 0, 0, 0, 1, 2], 258), (.long, [UInt8](repeating: 255, count: 8), -1),
      (.int, [255, 255, 255, 254], -2), (.text, [UInt8]("-17".utf8), -17),
    ] as [(Counter.Format, [UInt8], Int64)])
  func numbersAreWrittenAsOthersDo(format: Counter.Format, data: [UInt8], number: Int64) {
    #expect(Counter.Format.of(data) == format)
    #expect(format.number(in: data) == number)
    #expect(format.data(of: number) == data)
  }

  @Test func protectedNamesAreRandomUUIDs() {
    let name = ProtectedName()
    #expect(name.uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    #expect(name.kazooPrefix.count == 32)
    #expect(name != ProtectedName())
  }
}
