import Foundation
import TestKit
import Testing

/// Programs that are started get what `zkcli` was given, and none of its own connections.
@Suite(.timeLimit(.minutes(10)))
struct DescriptorTests {
  /// A listening socket in a browser would keep the port in use after the end of `zkcli web`.
  @Test func aBrowserGetsNone() async throws {
    let directory = try Scratch.directory("browser")
    let found = "\(directory)/found"
    let opener = "\(directory)/xdg-open"
    try Scratch.write("#!/bin/sh\nls -l /proc/$$/fd >\(found).new\nmv \(found).new \(found)\n", to: opener)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: opener)
    var zkcli = try await Zkcli.shared()
    zkcli.environment["PATH"] = "\(directory):/usr/bin:/bin"
    let web = try zkcli.start("web", "--listen", "127.0.0.1:0", "--open")
    defer { web.killAll() }
    try await eventually("the browser is asked to open the page", within: .seconds(60)) {
      FileManager.default.fileExists(atPath: found)
    }
    let descriptors = try String(contentsOfFile: found, encoding: .utf8)
    #expect(!descriptors.contains("socket:") && !descriptors.contains("anon_inode:"), "\(descriptors)")
  }

  /// A lock that a script has on one of its files ends with the script.
  @Test func aServerInTheBackgroundKeepsNoneOfItsScript() async throws {
    let directory = try Scratch.directory("background")
    let port = try LoopbackPorts.reserve()
    let file = "\(directory)/zoo.cfg"
    try Scratch.write(
      "dataDir=\(directory)/data\nclientPort=\(port)\nclientPortAddress=127.0.0.1\nadmin.enableServer=false\n", to: file
    )
    let zkcli = Zkcli(server: nil)
    let start = try await zkcli.shell("zkcli server start \(file) 7<\(file)")
    #expect(start.exitStatus == 0, "\(start.output)\(start.errorOutput)")
    let process = try String(contentsOfFile: "\(directory)/data/zookeeper_server.pid", encoding: .utf8)
    let listing = try await zkcli.shell("ls -l /proc/\(process.trimmingCharacters(in: .whitespacesAndNewlines))/fd")
    #expect(listing.output.contains("socket:") && !listing.output.contains(file), "\(listing.output)")
    #expect(try await zkcli("server", "stop", file).exitStatus == 0)
  }
}
