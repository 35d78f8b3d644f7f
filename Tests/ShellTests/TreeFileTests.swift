import Foundation
import TestKit
import Testing
import ZooKeeperProtocol
import ZooKeeperTrees

@testable import ZnodeFormats
@testable import ZooKeeperShell

/// Subtrees survive every format byte for byte, and damaged or hostile files are refused.
@Suite(.timeLimit(.minutes(10))) struct TreeFileTests {
  /// Names and values that are hard to keep in files.
  static let tree: [TreeEntry] = [
    entry("", nil), entry("%41", "percent"), entry("-dash", "x"), entry("..hidden", ""), entry(".data", "not the data"),
    entry("a", "has data and children", [ACL(permissions: [.read], scheme: "digest", id: "u:h,\\=")]),
    entry("a/ blank ", "b"), entry("a/b", nil), entry("a/b/c", "deep"), entry("a-b", nil),
    entry("binary", bytes: Array(0...255)), entry("b\u{e9}", "\u{1f600}\n"),
    entry(String(repeating: "n", count: 120), "long"),
    entry("z", nil),
  ].sorted { ZnodePath.precedes($0.path, $1.path) }

  private static func entry(_ path: String, _ text: String?, _ acl: [ACL] = ACL.openUnsafe) -> TreeEntry {
    TreeEntry(path: path, data: text.map { [UInt8]($0.utf8) }, acl: acl)
  }

  private static func entry(_ path: String, bytes: [UInt8]) -> TreeEntry {
    TreeEntry(path: path, data: bytes, acl: ACL.openUnsafe)
  }

  private func write(_ entries: [TreeEntry], _ writer: some TreeFileWriter) throws {
    var writer = writer
    for entry in entries { try writer.add(entry) }
    try writer.finish()
    #expect(writer.refusals.isEmpty)
  }

  private func source(_ path: String) throws -> ByteSource { ByteSource(try FileIO.openForReading(path), name: "file") }

  private func file(_ bytes: [UInt8]) throws -> String {
    let path = try Scratch.directory("tree-file") + "/file"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  @Test func linesKeepEverything() throws {
    let path = try Scratch.directory("lines") + "/tree.jsonl"
    try write(Self.tree, try TreeLinesWriter(try NewFile(path, replaces: false).sink, root: "/app"))
    var reader = TreeLinesReader(try source(path))
    #expect(try reader.rest() == Self.tree)
    #expect(throws: ShellError.self) { try NewFile(path, replaces: false) }
    #expect(!FileManager.default.fileExists(atPath: path + ".part"))
  }

  @Test func archivesKeepEverything() throws {
    let path = try Scratch.directory("archive") + "/tree.tar"
    try write(Self.tree, try TarWriter(try NewFile(path, replaces: false).sink))
    var reader = TarReader(try source(path))
    #expect(try reader.rest() == Self.tree)
    #expect(reader.refusals.isEmpty)
  }

  /// What any tar makes of the directory that `tar` itself has unpacked comes back too, without the ACLs.
  @Test func archivesAreThoseOfTar() async throws {
    let directory = try Scratch.directory("gnu-tar")
    // The archive has the directory a, then "a/ blank ", and only then the data of a.
    let tree = Self.tree
    try write(tree, try TarWriter(try NewFile("\(directory)/tree.tar", replaces: false).sink))
    let run = try await CommandRun.run(
      "/bin/sh",
      ["-c", "cd '\(directory)' && mkdir out && tar xf tree.tar -C out && tar cf again.tar --sort=name -C out ."],
      environment: RunningCommand.cleanEnvironment, input: [], timeLimit: .seconds(60))
    #expect(run.exitStatus == 0, "\(run.errorOutput)")
    var reader = try TarReader(try source("\(directory)/again.tar"), after: try source("\(directory)/again.tar"))
    let entries = try reader.rest()
    let byPath = Dictionary(uniqueKeysWithValues: entries.map { ($0.path, $0) })
    #expect(reader.refusals.isEmpty)
    #expect(byPath.count == tree.count)
    for entry in tree {
      // Null is an empty file, except for a directory.
      #expect(byPath[entry.path]?.data ?? [] == entry.data ?? [], "\(entry.path)")
      #expect(byPath[entry.path]?.acl == nil)
      // A directory without .data says nothing of the znode's data.
      #expect(byPath[entry.path]?.lacksData == (entry.data == nil && ["", "a/b"].contains(entry.path)))
    }
    // A stream cannot be read twice.
    var stream = TarReader(try source("\(directory)/again.tar"))
    #expect(try stream.rest().count == tree.count)
    #expect(stream.refusals.map(\.path) == ["a/.data"])
  }

  @Test func directoriesKeepEverythingAndAreBroughtUpToDate() throws {
    let path = try Scratch.directory("dir")
    let zxid = Zxid(rawValue: 7)
    let stat = Stat(
      czxid: zxid, mzxid: zxid, ctimeMilliseconds: 0, mtimeMilliseconds: 0, version: 0, cversion: 0, aversion: 0,
      ephemeralOwner: .none, dataLength: 0, numChildren: 0, pzxid: zxid)
    var tree = Self.tree.map { TreeEntry(path: $0.path, data: $0.data, acl: $0.acl, stat: stat) }
    try write(tree, try TreeDirectoryWriter(path, resumes: false))
    var reader = try TreeDirectoryReader(path)
    #expect(try reader.rest() == Self.tree)
    #expect(reader.refusals.isEmpty)
    #expect(throws: ShellError.self) { try TreeDirectoryWriter(path, resumes: false) }
    // A znode without a change keeps its file; one that is gone loses it, and a leaf may get children.
    try Scratch.write("untouched", to: "\(path)/-dash")
    tree.removeAll { $0.path == "a/b/c" || $0.path == "a/b" || $0.path == "binary" }
    tree.append(TreeEntry(path: "z/child", data: [1], acl: ACL.openUnsafe, stat: stat))
    try write(tree, try TreeDirectoryWriter(path, resumes: true))
    reader = try TreeDirectoryReader(path)
    let read = try reader.rest()
    #expect(read.map(\.path) == tree.map(\.path))
    #expect(read.first { $0.path == "-dash" }?.data == [UInt8]("untouched".utf8))
    #expect(!FileManager.default.fileExists(atPath: "\(path)/a/b"))
  }

  @Test func linksAreNotFollowed() throws {
    let outside = try Scratch.directory("outside")
    try Scratch.write("secret", to: "\(outside)/file")
    let path = try Scratch.directory("links")
    try FileManager.default.createSymbolicLink(atPath: "\(path)/link", withDestinationPath: "\(outside)/file")
    try FileManager.default.createSymbolicLink(atPath: "\(path)/dir", withDestinationPath: outside)
    try Scratch.write("x", to: "\(path)/.dotfile")
    var reader = try TreeDirectoryReader(path)
    #expect(try reader.rest().map(\.path) == [""])
    #expect(reader.refusals.map(\.path).sorted() == ["\(path)/.dotfile", "\(path)/dir", "\(path)/link"])
    // Nor does an export write through one.
    let target = try Scratch.directory("target")
    try Scratch.write("{\"path\":\"/dir\",\"null\":true}\n", to: "\(target)/\(TreeFileName.index)")
    try FileManager.default.createSymbolicLink(atPath: "\(target)/dir", withDestinationPath: outside)
    var writer = try TreeDirectoryWriter(target, resumes: true)
    try writer.add(TreeEntry(path: "", data: nil))
    try writer.add(TreeEntry(path: "dir", data: nil))
    #expect(throws: ShellError.self) {
      try writer.add(TreeEntry(path: "dir/file", data: [1]))
      try writer.finish()
    }
    #expect(try String(contentsOfFile: "\(outside)/file", encoding: .utf8) == "secret")
  }

  @Test func namesThatFilesCannotHaveAreListed() throws {
    let path = try Scratch.directory("long-names")
    var writer = try TreeDirectoryWriter(path, resumes: false)
    let long = String(repeating: "x", count: 256)
    for name in ["", long, "\(long)/child", "short"] { try writer.add(TreeEntry(path: name, data: [1])) }
    try writer.finish()
    #expect(writer.refusals.map(\.path) == [long, "\(long)/child"])
    var reader = try TreeDirectoryReader(path)
    #expect(try reader.rest().map(\.path) == ["", "short"])
  }

  @Test(arguments: [
    ("[1]", "it is not a JSON object"), ("{\"data\":\"x\"}", "it has no path"),
    ("{\"path\":\"a\"}", "is not the path of a znode"), ("{\"path\":\"/a/../b\"}", "is not the path of a znode"),
    ("{\"path\":\"/a\",\"data\":1}", "its data is not a string"),
    ("{\"path\":\"/a\",\"data\":\"?\",\"encoding\":\"base64\"}", "not valid base64"),
    ("{\"path\":\"/a\",\"data\":\"?\",\"encoding\":\"hex\"}", "neither utf8 nor base64"),
    ("{\"path\":\"/a\",\"acl\":[{}]}", "ACL"), ("{\"zkcli\":\"tree\",\"version\":2}", "cannot be read"),
    ("{\"zkcli\":\"log\",\"version\":1}", "not a subtree"), ("{\"path\":\"/a\"", "it is not a JSON object"),
  ])
  func badLinesAreNamed(line: String, message: String) throws {
    var reader = TreeLinesReader(try source(try file([UInt8]("\n{\"path\":\"/\"}\n\(line)\n".utf8))))
    #expect(try reader.next() == TreeEntry(path: "", data: nil))
    let error = #expect(throws: ShellError.self) { try reader.next() }
    #expect(error?.message.hasPrefix("file:3: ") == true)
    let isTold = error?.message.contains(message) == true || message == "cannot be read"
    #expect(isTold, "\(error?.message ?? "")")
  }

  /// An archive with one entry.
  private func archive(_ name: String, kind: UInt8 = 0x30, size: Int = 0, content: [UInt8] = []) -> [UInt8] {
    var archive: [UInt8] = []
    TarFormat.append(.init(name: name, kind: kind, size: size), to: &archive)
    return archive + content + [UInt8](repeating: 0, count: TarFormat.padding(after: content.count))
  }

  @Test func hostileArchivesAreRefused() throws {
    let large = archive("large", size: 2 << 30)
    let cases: [([UInt8], String)] = [
      (archive("../up"), "points out of the archive"), (archive("/abs"), "points out of the archive"),
      (archive("a/../../b"), "points out of the archive"), (large, "more than a znode can have"),
      (archive("short", size: 1000), "ends in the middle"), ([UInt8](repeating: 0x41, count: 512), "not a tar archive"),
      (Array(archive("cut").prefix(200)), "not a tar archive"),
      (archive("x", kind: 0x78, size: 4, content: [UInt8]("9999".utf8)), "records"),
      (archive("x", kind: 0x78, size: 6, content: [UInt8]("5 a=b\n".utf8)), "records"),
    ]
    for (bytes, message) in cases {
      var reader = TarReader(try source(try file(bytes)))
      let error = #expect(throws: ShellError.self) { try reader.next() }
      #expect(error?.message.contains(message) == true, "\(error?.message ?? "")")
    }
    var reader = TarReader(try source(try file(archive("link", kind: 0x32) + archive("fine"))))
    #expect(try reader.rest().map(\.path) == ["", "fine"])
    #expect(reader.refusals.map(\.path) == ["link"])
  }

  @Test func directoriesThatAnArchiveDoesNotHaveAreAdded() throws {
    let path = try file(archive("a/b/c") + archive("a/d") + archive("a/", kind: 0x35) + archive("e"))
    var reader = try TarReader(try source(path), after: try source(path))
    let entries = try reader.rest()
    #expect(entries.map(\.path) == ["", "a", "a/b", "a/b/c", "a/d", "e"])
    #expect(entries.map(\.lacksData) == [true, true, true, false, false, false])
  }

  /// No change of a byte or two traps, or makes a reader return more than there was.
  @Test func damagedFilesDoNotTrap() throws {
    let directory = try Scratch.directory("damage")
    try write(Self.tree, try TarWriter(try NewFile("\(directory)/t.tar", replaces: false).sink))
    try write(Self.tree, try TreeLinesWriter(try NewFile("\(directory)/t.jsonl", replaces: false).sink, root: "/"))
    var random = TestKit.SeededGenerator(seed: 3)
    let archive = [UInt8](try Data(contentsOf: URL(filePath: "\(directory)/t.tar")))
    let lines = [UInt8](try Data(contentsOf: URL(filePath: "\(directory)/t.jsonl")))
    for _ in 0..<300 {
      var tar = TarReader(try source(try file(mutate(archive, using: &random))))
      if let entries = try? tar.rest() { #expect(entries.count <= Self.tree.count + 2) }
      var jsonl = TreeLinesReader(try source(try file(mutate(lines, using: &random))))
      if let entries = try? jsonl.rest() { #expect(entries.count <= 2 * Self.tree.count) }
    }
  }
}

/// Patterns of names.
@Suite struct GlobTests {
  @Test(arguments: [
    ("*", "", true), ("*", "abc", true), ("a*c", "abbc", true), ("a*c", "abb", false), ("a?c", "abc", true),
    ("a?c", "ac", false), ("[a-c]x", "bx", true), ("[!a-c]x", "bx", false), ("[^a-c]x", "dx", true),
    ("[]a]", "]", true),
    ("[a", "[a", true), ("\\*", "*", true), ("\\*", "a", false), ("a*b*c", "a1b2b3c", true), ("", "", true),
    ("", "a", false), ("?", "\u{e9}", true), ("a**b", "ab", true), ("[z-a]", "m", false), ("[a-]", "-", true),
  ])
  func matches(pattern: String, text: String, isMatch: Bool) {
    #expect(Glob(pattern).matches(text) == isMatch)
  }

  /// Would take longer than the age of the universe if each star tried all lengths.
  @Test func manyStarsAreFast() {
    let pattern = String(repeating: "a*", count: 40) + "b"
    #expect(!Glob(pattern).matches(String(repeating: "a", count: 4000)))
  }

  @Test(arguments: [
    ("2026-11-28", 1_795_824_000_000), ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999Z", -1),
    ("2024-02-29T12:34:56Z", 1_709_210_096_000),
  ])
  func datesAreThoseThatAreWritten(text: String, milliseconds: Int64) {
    #expect(TimeStyle.milliseconds(iso: text) == milliseconds)
    #expect(TimeStyle.iso.text(milliseconds: milliseconds).hasPrefix(text.replacingOccurrences(of: "Z", with: "")))
    #expect(TimeStyle.milliseconds(iso: text + "x") == nil)
  }
}
