import Zab

/// The program `zabsim`: runs the simulations of some seeds, and reports those that break a rule.
package enum SimulatorProgram {
  private struct Arguments {
    var seed: UInt64 = 1
    var count: UInt64 = 1
    var showsTrace = false
    var usesObserverMasters = false
    var leadersPause = false
    var reconfiguresOften = false
    var forcesSnapshotSync = false
    var mutation: ZabMutation?
    var duration: Int64?
  }

  private static let usage = """
    usage: zabsim [--seed N] [--seeds COUNT] [--trace] [--duration MS]
                  [--observer-masters] [--leaders-pause] [--reconfigure-often]
                  [--force-snapshot-sync] [--mutation NAME]

    Runs an ensemble in one thread, with faults drawn from the seed, and checks Zab's rules after every step.
      --seed N         the first seed (default 1)
      --seeds COUNT    how many seeds, counting up (default 1)
      --trace          print a line for each event, with the time in milliseconds
      --duration MS    how long faults happen in a run, in simulated time (default 30000)
      --observer-masters
                       give every ensemble observers that connect to followers
      --leaders-pause  pause leaders often, for about as long as an election takes
      --reconfigure-often
                       let a tenth of the clients' requests be reconfigurations
      --force-snapshot-sync
                       let leaders send the whole tree to every learner
      --mutation NAME  put in a known bug; only in a debug build: \(names)
    The exit code is 1 if a rule was broken.
    """

  private static var names: String { ZabMutation.allCases.map(\.rawValue).joined(separator: ", ") }

  /// Runs the program with the process's arguments, and exits.
  package static func main() -> Never { exitProcess(run(Array(CommandLine.arguments.dropFirst()))) }

  /// Runs the program.
  ///
  /// - Returns: its exit code.
  static func run(_ words: [String]) -> Int32 {
    guard let arguments = parse(words) else {
      print(usage)
      return words.contains("--help") ? 0 : 2
    }
    var broken = 0
    for seed in arguments.seed..<(arguments.seed + arguments.count) {
      var options = SimulationOptions(seed: seed)
      options.mutation = arguments.mutation
      if arguments.usesObserverMasters { options.useObserverMasters() }
      if arguments.leadersPause { options.pauseLeaders() }
      if arguments.reconfiguresOften { options.reconfigureOften() }
      if arguments.forcesSnapshotSync { options.forceSnapshotSync() }
      if let duration = arguments.duration { options.durationMilliseconds = duration }
      if arguments.count == 1 { print(options) }
      let report = Simulation(options, keepsTrace: arguments.showsTrace).run()
      for line in report.trace { print(line) }
      if let violation = report.violation {
        broken += 1
        print("\(options)\n  BROKEN: \(violation)")
      }
      if arguments.count == 1 {
        print(
          "events=\(report.eventCount) faults=\(report.faultCount) transactions=\(report.transactionCount)"
            + " epochs=\(report.epochCount) reconfigurations=\(report.reconfigurationCount)"
            + " answers=\(report.acknowledgedWriteCount) relayed=\(report.observerMasters.summary)"
            + " trace=\(String(report.traceHash, radix: 16))"
        )
      }
    }
    if arguments.count > 1 { print("\(arguments.count - UInt64(broken)) passed, \(broken) failed") }
    return broken == 0 ? 0 : 1
  }

  private static func parse(_ words: [String]) -> Arguments? {
    var arguments = Arguments()
    var rest = words[...]
    while let word = rest.popFirst() {
      switch word {
      case "--trace": arguments.showsTrace = true
      case "--observer-masters": arguments.usesObserverMasters = true
      case "--leaders-pause": arguments.leadersPause = true
      case "--reconfigure-often": arguments.reconfiguresOften = true
      case "--force-snapshot-sync": arguments.forcesSnapshotSync = true
      case "--seed":
        guard let value = rest.popFirst().flatMap({ UInt64($0) }) else { return nil }
        arguments.seed = value
      case "--seeds":
        guard let value = rest.popFirst().flatMap({ UInt64($0) }), value > 0 else { return nil }
        arguments.count = value
      case "--duration":
        guard let value = rest.popFirst().flatMap({ Int64($0) }), value > 0 else { return nil }
        arguments.duration = value
      case "--mutation":
        guard let value = rest.popFirst().flatMap({ ZabMutation(rawValue: $0) }) else { return nil }
        arguments.mutation = value
      default: return nil
      }
    }
    return arguments
  }
}
