import Jute
import ZnodeTree
import ZooKeeperProtocol

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

// What a tree of N znodes costs: bytes of RSS a znode over its name and data, and CPU nanoseconds an operation.
//
//   swift run -c release tree-memory [znodes]     (default 1,000,000; 1,000 children a parent, 100 B of data)
runBenchmark()

func runBenchmark() {
  /// Bytes of `child-0000`.
  let childNameLength = 10
  let wanted = CommandLine.arguments.count > 1 ? Int(CommandLine.arguments[1]) ?? 1_000_000 : 1_000_000
  let parentCount = max(1, wanted / 1000)
  let childCount = wanted / parentCount
  var zxid: Int64 = 0
  var changes: [TreeChange] = []
  let data = [UInt8](repeating: 0x61, count: 100)
  var paths: [String] = []
  for parent in 0..<parentCount {
    for child in 0..<childCount { paths.append(path(parent, child)) }
  }
  let before = residentBytes()
  let tree = DataTree()

  func apply(_ txn: Txn) {
    zxid += 1
    let header = TxnHeader(
      sessionID: SessionID(rawValue: 1), cxid: .first, zxid: Zxid(rawValue: zxid), timeMilliseconds: zxid,
      opCode: txn.opCode)
    changes.removeAll(keepingCapacity: true)
    let result = tree.apply(header, txn, changes: &changes)
    precondition(result.error == .ok, "\(result)")
  }
  func create(_ path: String, _ data: [UInt8]?, _ parentCVersion: Int32) {
    apply(
      .create(
        CreateTxn(path: path, data: data, acl: ACL.openUnsafe, isEphemeral: false, parentCVersion: parentCVersion)))
  }

  for parent in 0..<parentCount { create(String(path(parent, 0).dropLast(childNameLength + 1)), nil, -1) }
  let count = paths.count
  measure("create", count) { for path in paths { create(path, data, -1) } }
  let after = residentBytes()
  let payload = 100 + childNameLength
  print("znodes \(tree.znodeCount), RSS \((after - before) / 1024) KiB")
  let bytes = Double(after - before) / Double(tree.znodeCount)
  print("bytes a znode \(bytes), over name and data \(bytes - Double(payload))")

  measureOperations(tree, paths, data, apply)
}

func measureOperations(_ tree: DataTree, _ paths: [String], _ data: [UInt8], _ apply: (Txn) -> Void) {
  let count = paths.count
  var random: UInt64 = 88_172_645_463_325_252
  func next(_ limit: Int) -> Int {
    random ^= random << 13
    random ^= random >> 7
    random ^= random << 17
    return Int(random % UInt64(limit))
  }
  var writer = JuteWriter(reservingBytes: 1024)
  measure("lookup, random", count) {
    for _ in 0..<count { precondition(tree.find(paths[next(count)]) != nil) }
  }
  measure("lookup, 10,000 hot znodes", count) {
    for _ in 0..<count { precondition(tree.find(paths[next(10_000)]) != nil) }
  }
  measure("getData into a writer, random", count) {
    for _ in 0..<count {
      guard let id = tree.find(paths[next(count)]) else { preconditionFailure("lost a znode") }
      writer.removeAll()
      tree.appendData(of: id, into: &writer)
      tree.appendStat(of: id, into: &writer)
    }
  }
  measure("setData, random", count) {
    for _ in 0..<count { apply(.setData(SetDataTxn(path: paths[next(count)], data: data, version: 1))) }
  }
  measure("snapshot encode, whole", tree.znodeCount) {
    var walk = tree.startSnapshot()
    repeat { writer.removeAll() } while !walk.encode(into: &writer, budgetBytes: 65536)
  }
  measure("setData, random, during a snapshot", count) {
    let walk = tree.startSnapshot()
    for _ in 0..<count { apply(.setData(SetDataTxn(path: paths[next(count)], data: data, version: 1))) }
    precondition(!walk.isFinished)
  }
  measure("delete", count) { for path in paths { apply(.delete(path: path)) } }
}

func path(_ parent: Int, _ child: Int) -> String { "/parent-\(padded(parent, 6))/child-\(padded(child, 4))" }

func padded(_ value: Int, _ width: Int) -> String {
  let digits = String(value)
  return String(repeating: "0", count: max(0, width - digits.count)) + digits
}

func measure(_ name: String, _ count: Int, _ body: () -> Void) {
  let start = cpuNanoseconds()
  body()
  print("\(name): \((cpuNanoseconds() - start) / Int64(count)) ns of CPU")
}

func cpuNanoseconds() -> Int64 {
  var time = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
  return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}

/// The second number of `/proc/self/statm`, in bytes.
func residentBytes() -> Int {
  guard let file = fopen("/proc/self/statm", "r") else { return 0 }
  defer { fclose(file) }
  var buffer = [CChar](repeating: 0, count: 256)
  guard fgets(&buffer, 256, file) != nil else { return 0 }
  let text = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  let fields = text.split(separator: " ")
  return fields.count > 1 ? (Int(fields[1]) ?? 0) * 4096 : 0
}
