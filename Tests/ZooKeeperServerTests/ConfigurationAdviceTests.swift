import Testing
import ZooKeeperProtocol

@testable import ZooKeeperServer

/// What is said of configurations that work.
@Suite struct ConfigurationAdviceTests {
  private static let basic = "dataDir=/data\nclientPort=2181\nclientPortAddress=10.0.0.1\ninitLimit=5\nsyncLimit=2\n"

  /// A machine with a disk for each directory, on which `zk1` is `10.0.0.1` and so on.
  private static let machine = ConfigurationAdvice.Machine(
    address: { $0.hasPrefix("zk") ? "10.0.0.\($0.dropFirst(2))" : $0 == "localhost" ? "127.0.0.1" : nil },
    disk: { ["/data": 1, "/log": 2, "/same": 1][$0] }, descriptorLimit: 65_536)

  private func advice(
    _ lines: String, id: Int64? = nil, on machine: ConfigurationAdvice.Machine = machine
  ) throws -> [String] {
    var configuration = try ConfigurationFile(parsing: Self.basic + lines, file: "zoo.cfg").configuration
    if let id { try configuration.join(as: ServerID(rawValue: id)) }
    return ConfigurationAdvice(configuration: configuration, machine: machine).sentences
  }

  @Test(
    arguments: [
      ("dataLogDir=/log", nil, nil),
      ("dataLogDir=/same", nil, "one disk"),
      ("", nil, "one disk"),
      ("dataLogDir=/log\nclientPortAddress=0.0.0.0", nil, "the client port 2181 without a login"),
      ("dataLogDir=/log\nclientPortAddress=::", nil, "the client port 2181 without a login"),
      (
        "dataLogDir=/log\nclientPortAddress=0.0.0.0\nenforce.auth.enabled=true\nenforce.auth.schemes=digest", nil, nil
      ),
      ("dataLogDir=/none\ndatadir.autocreate=false", nil, "the directory /none does not exist"),
      ("dataLogDir=/none", nil, nil),
      ("dataLogDir=/log\naudit.enable=true\nauditlog.dir=/audit", nil, "the directory /audit does not exist"),
      ("dataLogDir=/log\nserver.1=zk1:1:2\nserver.2=zk2:1:2\nserver.3=zk3:1:2", 1, nil),
      (
        "dataLogDir=/log\nserver.1=zk1:1:2\nserver.2=zk2:1:2\nserver.3=zk3:1:2\nserver.4=zk4:1:2", 1,
        "4 servers vote, which is no safer than 3: the ensemble survives the loss of 1"
      ),
      ("dataLogDir=/log\nserver.1=zk1:1:2\nserver.2=zk2:1:2\nserver.3=zk3:1:2:observer", 1, "2 servers vote"),
      ("dataLogDir=/log\nserver.1=zk1:1:2\nserver.2=new:1:2\nserver.3=zk3:1:2", 2, "server.2, cannot be resolved"),
      ("dataLogDir=/log\nserver.1=localhost:1:2\nserver.2=zk2:1:2\nserver.3=zk3:1:2", 1, "other machines cannot reach"),
      ("dataLogDir=/log\nserver.1=localhost:1:2\nserver.2=localhost:3:4\nserver.3=localhost:5:6", 1, nil),
    ] as [(String, Int64?, String?)])
  func oneThingIsSaid(lines: String, id: Int64?, text: String?) throws {
    let sentences = try advice(lines, id: id)
    #expect(sentences.count == (text == nil ? 0 : 1), "\(sentences)")
    if let text { #expect(sentences.first?.contains(text) == true, "\(sentences)") }
  }

  @Test func fewDescriptorsAreSaid() throws {
    var machine = Self.machine
    machine.descriptorLimit = 1024
    #expect(try advice("dataLogDir=/log", on: machine).map { $0.contains("may open 1024 files") } == [true])
  }

  /// Apache's server listens on all addresses if the file names none; so does this one, on both ports.
  @Test func clientsCanConnectToAllAddressesByDefault() throws {
    let configuration = try ConfigurationFile(parsing: "dataDir=/data\nclientPort=1\n", file: "zoo.cfg").configuration
    #expect(configuration.clientAddress == "0.0.0.0" && configuration.secureClientAddress == "0.0.0.0")
  }
}
