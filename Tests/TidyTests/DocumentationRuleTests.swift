import Testing

/// Each rule about the documentation can fail: a sample that keeps it and samples that break it.
@Suite struct DocumentationRuleTests {
  private let manual = Article(
    path: "Sources/Sample/Sample.docc/Manual.md",
    """
    # A manual

    ## 0. Conventions
    ## B. Bytes
    ### B.9 Broadcast
    ### B.10 Liveness
    ## 4. Semantics
    ### 4.3 create
    ## A word that begins with a letter
    ### 12 months
    ```
    ## 7. In a code block
    ```
    """)

  private func messages(_ text: String) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    return DocumentationRules.citations("File.swift", lines, ["Manual": manual.sections]).map(\.description)
  }

  @Test func sectionsAreTheNumbersOfHeadings() {
    #expect(manual.sections == ["0", "B", "B.9", "B.10", "4", "4.3"])
    #expect(manual.name == "Manual" && manual.target == "Sample")
  }

  @Test func citationsThatResolveAreFine() {
    let text = """
      /// *Source*: `Leader.propose`; `Manual` B.9, B.10. More.
      /// See `Manual` 0 to 4.3 and `Manual` B and 4; A word (`Manual` 4.3).
      /// The line ends with `Manual`
      /// B.9, and `another` 3 has no dot.
      """
    #expect(messages(text) == [])
  }

  @Test func citationsThatDoNotResolveAreBreaches() {
    let text = """
      /// `Manual` B.99
      /// `Manual` B.9, 5
      /// `Manual` says so.
      /// `manual` B.9
      /// `Manual`
      /// B.8
      """
    #expect(
      messages(text) == [
        "File.swift:1: Manual has no section B.99", "File.swift:2: Manual has no section 5",
        "File.swift:3: Manual is cited without a section",
        "File.swift:4: manual is not an article with numbered sections", "File.swift:5: Manual has no section B.8",
      ])
  }

  @Test func targetsWithoutALandingPageAreBreaches() {
    let paths: Set = ["Sources/Jute/Jute.docc/Jute.md", "Sources/Zab/Zab.docc/Other.md"]
    #expect(DocumentationRules.landingPages(["Jute"], paths) == [])
    let breaches = DocumentationRules.landingPages(["Jute", "Zab"], paths)
    #expect(breaches.map(\.path) == ["Sources/Zab/Zab.docc/Zab.md"])
  }

  @Test func landingPageSaysWhatMayBeImported() {
    func page(_ text: String) -> [String] {
      let page = Article(path: "Sources/ZnodeTree/ZnodeTree.docc/ZnodeTree.md", text)
      return DocumentationRules.landingPage(page).map(\.message)
    }
    let imports = "`ZooKeeperProtocol`, `CMemory`, `Checksums` and `Jute`."
    let good = "# ``ZnodeTree``\n\n## Imports\n\n\(imports)\n\n## Where to begin\n"
    #expect(page(good) == [])
    #expect(page(good.replacing(" and `Jute`", with: "")) == ["\"Imports\" does not name Jute"])
    #expect(
      page(good.replacing("Jute", with: "Jute`, `NIOCore")) == [
        "\"Imports\" names NIOCore, which the table does not allow"
      ])
    #expect(page(good.replacing("# ``ZnodeTree``", with: "# The tree")) == ["the title is not the module's symbol"])
    #expect(page("# ``ZnodeTree``\n") == ["\"Where to begin\" is missing", "\"Imports\" is missing"])
  }

  @Test func targetsThatTheMapDoesNotNameAreBreaches() {
    let map = Article(path: "Sources/zkcli/zkcli.docc/Architecture.md", "| `Jute`, `Zab` | text |\n```\n`zkcli`\n```\n")
    #expect(DocumentationRules.map(map, ["Jute", "Zab"]) == [])
    #expect(DocumentationRules.map(map, ["Jute", "zkcli"]).map(\.message) == ["the target zkcli is missing"])
  }

  @Test func symbolsAndPlacesThatAreNotThereAreBreaches() {
    let article = Article(
      path: "Sources/Jute/Jute.docc/Jute.md",
      """
      # ``Jute``
      ``JuteReader`` and ``JuteReader/readInt()``, but ``JuteScanner``
      `Sources/Jute` has `Sources/Jute/Reader.swift`, not `Sources/Jute/Scanner.swift`
      [here](Other.md), [there](Missing.md#part), [outside](https://example.org/x)
      <doc:Other> and <doc:Nowhere>
      ```
      ``Anything`` and `Sources/Nothing` in a block
      ```
      """)
    #expect(
      DocumentationRules.symbols(article, ["JuteReader"]).map(\.description) == [
        "Sources/Jute/Jute.docc/Jute.md:2: Jute has no type JuteScanner"
      ])
    let paths: Set = ["Sources/Jute/Reader.swift", "Sources/Jute/Jute.docc/Other.md"]
    #expect(
      DocumentationRules.places(article, paths).map(\.message) == [
        "there is no Sources/Jute/Scanner.swift", "there is no Sources/Jute/Jute.docc/Missing.md",
        "there is no Nowhere",
      ])
  }
}
