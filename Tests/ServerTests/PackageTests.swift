import Foundation
import TestKit
import Testing

/// The Debian package that `.ci/deb` makes.
@Suite(.timeLimit(.minutes(10)))
struct PackageTests {
  private static let isPossible =
    ["dpkg-deb", "dpkg", "strip"].allSatisfy { FileManager.default.isExecutableFile(atPath: "/usr/bin/\($0)") }
    && getuid() == 0

  private static let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().path

  private func run(_ program: String, _ words: String...) async throws -> CommandRun {
    var environment = RunningCommand.cleanEnvironment
    environment["PATH"] = "/usr/sbin:/usr/bin:/sbin:/bin"
    return try await CommandRun.run(program, words, environment: environment, timeLimit: .seconds(300))
  }

  /// Made from the program that the tests run, inspected, installed into a directory, used, and removed.
  @Test(.enabled(if: isPossible, "needs dpkg-deb, dpkg and strip, and root as the owner of files"))
  func packageIsInstalledAndRemoved() async throws {
    let directory = try Scratch.directory("deb")
    let built = try await run("\(Self.repository)/.ci/deb", try Products.executable("zkcli"), directory)
    #expect(built.exitStatus == 0, "\(built.errorOutput)")
    let package = built.output.trimmingCharacters(in: .newlines)
    #expect(package.wholeMatch(of: /.*\/zkcli_[0-9][0-9.]*_[a-z0-9]+\.deb/) != nil, "\(package)")
    let information = try await run("/usr/bin/dpkg-deb", "-I", package).output
    #expect(information.contains("Package: zkcli\n") && information.contains("libedit2"), "\(information)")
    let content = try await run("/usr/bin/dpkg-deb", "-c", package).output
    let files = [
      "/usr/bin/zkcli", "/usr/share/man/man1/zkcli.1.gz", "/usr/share/bash-completion/completions/zkcli",
      "/usr/share/zsh/vendor-completions/_zkcli", "/usr/share/fish/vendor_completions.d/zkcli.fish",
      "/lib/systemd/system/zkcli-server.service", "/usr/lib/sysusers.d/zkcli.conf", "/usr/share/doc/zkcli/copyright",
    ]
    for file in files { #expect(content.contains(" .\(file)\n"), "\(file): \(content)") }
    #expect(content.split(separator: "\n").allSatisfy { $0.contains(" root/root ") }, "\(content)")

    // A system of its own, in which no package is installed: what the program needs is outside of it.
    let root = "\(directory)/root"
    for path in ["info", "updates", "alternatives"].map({ "var/lib/dpkg/\($0)" }) + ["etc/alternatives", "usr/bin"] {
      try FileManager.default.createDirectory(atPath: "\(root)/\(path)", withIntermediateDirectories: true)
    }
    try Scratch.write("", to: "\(root)/var/lib/dpkg/status")
    let options = ["--root=\(root)", "--force-script-chrootless", "--force-depends", "--log=\(directory)/dpkg.log"]
    let install = try await run("/usr/bin/dpkg", options[0], options[1], options[2], options[3], "-i", package)
    #expect(install.exitStatus == 0, "\(install.errorOutput)")
    let version = try await run("\(root)/usr/bin/zkcli", "--version")
    #expect(version.exitStatus == 0 && version.output.hasPrefix("zkcli "))
    for name in ["zookeeper-client", "zookeeper-server"] {
      let link = try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/usr/bin/\(name)")
      #expect(link == "/etc/alternatives/\(name)")
      let target = try FileManager.default.destinationOfSymbolicLink(atPath: "\(root)/etc/alternatives/\(name)")
      #expect(target == "/usr/bin/zkcli")
    }
    let unit = try String(contentsOfFile: "\(root)/lib/systemd/system/zkcli-server.service", encoding: .utf8)
    #expect(unit.contains("\nExecStart=/usr/bin/zkcli server run /etc/zookeeper/conf/zoo.cfg\n"))
    #expect(unit.contains("\nStateDirectory=zookeeper\n") && unit.contains("\nUser=zookeeper\n"))
    let user = try String(contentsOfFile: "\(root)/usr/lib/sysusers.d/zkcli.conf", encoding: .utf8)
    #expect(user == "u zookeeper - \"ZooKeeper server\" /var/lib/zookeeper\n")

    let remove = try await run("/usr/bin/dpkg", options[0], options[1], options[2], options[3], "-P", "zkcli")
    #expect(remove.exitStatus == 0, "\(remove.errorOutput)")
    for file in files + ["/usr/bin/zookeeper-client", "/etc/alternatives/zookeeper-server"] {
      #expect((try? FileManager.default.attributesOfItem(atPath: "\(root)\(file)")) == nil, "\(file)")
    }
  }

  @Test func whatIsNoProgramIsRefused() async throws {
    for program in ["/nonexistent", "/etc/passwd"] {
      let run = try await run("\(Self.repository)/.ci/deb", program)
      #expect(run.exitStatus == 1 && run.errorOutput.contains("is not a program"))
    }
  }
}
