import Testing
import ZooKeeperProtocol

@testable import ZnodeFormats
@testable import ZooKeeperShell

/// `-o table`, `fields` and `csv`.
@Suite(.timeLimit(.minutes(10))) struct FormatTests {
  private func shown(_ results: [CommandResult], _ format: OutputFormat, isListing: Bool = false) -> String {
    var renderer = Renderer(RenderContext(format: format))
    renderer.begin(isListing: isListing)
    var bytes: [UInt8] = []
    for result in results { bytes += renderer.emit(result).stdout }
    return String(decoding: bytes + renderer.finish().stdout, as: UTF8.self)
  }

  private static let rows = [
    CommandResult.record(Record("", ["name": .text("a"), "count": .number(5), "note": .text("x, \"y\"\nz")])),
    CommandResult.record(Record("", ["name": .text("long name"), "count": .number(12), "note": .missing])),
  ]

  @Test func tablesAreAligned() {
    #expect(
      shown(Self.rows, .table, isListing: true) == """
        name       count  note
        a              5  "x, \\"y\\"\\nz"
        long name     12

        """)
  }

  @Test func csvIsQuotedAsTheStandardSays() {
    #expect(
      shown(Self.rows, .csv, isListing: true)
        == "name,count,note\r\na,5,\"x, \"\"y\"\"\nz\"\r\nlong name,12,\r\n")
  }

  @Test func fieldsAreQuotedAsInTheShell() {
    #expect(
      shown(Self.rows, .fields, isListing: true)
        == "name=a\ncount=5\nnote=\"x, \\\"y\\\"\\nz\"\n\nname='long name'\ncount=12\nnote=\n")
  }

  @Test func listsAreRowsBesideTheOtherMembers() {
    let children = CommandResult.children(path: "/a", names: ["x", "y"], stat: nil)
    #expect(shown([children], .csv) == "path,children\r\n/a,x\r\n/a,y\r\n")
    #expect(shown([.children(path: "/a", names: [], stat: nil)], .csv) == "path,children\r\n")
    #expect(shown([children], .fields) == "path=/a\nchildren.0=x\nchildren.1=y\n")
    let acl = CommandResult.acl(path: "/a", ACL.openUnsafe, stat: nil)
    #expect(shown([acl], .csv) == "path,scheme,id,permissions\r\n/a,world,anyone,cdrwa\r\n")
  }

  @Test func nestedMembersHaveDots() {
    let text = shown([.stat(path: "/a", .sample)], .fields)
    #expect(text.hasPrefix("path=/a\nstat.czxid=0x2\n") && text.contains("\nstat.dataLength=5\n"))
    #expect(shown([.stat(path: "/a", .sample)], .table).hasPrefix("path  stat.czxid  "))
  }

  @Test func longListingsAreWrittenInParts() {
    var renderer = Renderer(RenderContext(format: .table))
    renderer.begin(isListing: true)
    var written: [Int] = []
    for number in 0..<(TabularWriter.windowCount + 2) {
      written.append(renderer.emit(.path("/\(number)")).stdout.count)
    }
    #expect(written[..<(TabularWriter.windowCount - 1)].allSatisfy { $0 == 0 })
    #expect(written[(TabularWriter.windowCount - 1)] > 4000 && written[TabularWriter.windowCount] == 0)
    #expect(!renderer.finish().stdout.isEmpty)
  }

  @Test func aStreamIsWrittenAtOnceAndSaysWhatHasNoColumn() {
    var renderer = Renderer(RenderContext(format: .csv))
    renderer.begin()
    #expect(renderer.emit(.path("/a")).stdout == [UInt8]("path\r\n/a\r\n".utf8))
    let second = renderer.emit(.count(path: "/b", 3))
    #expect(second.stdout == [UInt8]("/b\r\n".utf8))
    #expect(String(decoding: second.stderr, as: UTF8.self).contains("no column for count"))
    #expect(renderer.emit(.count(path: "/c", 3)).stderr.isEmpty)
  }

  @Test(arguments: [OutputFormat.table, .fields, .csv])
  func textAndErrorsStayText(format: OutputFormat) {
    #expect(shown([.text("help\n")], format) == "help\n")
    let error = Renderer(RenderContext(format: format)).error(.usage("wrong"))
    #expect(String(decoding: error.stderr, as: UTF8.self) == "zkcli: wrong\n")
    #expect(shown([], format, isListing: true) == "")
  }
}
