import Testing

@testable import ZooKeeperWeb

/// The page's modules in one script, and its first style sheets in one.
@Suite struct PageBundleTests {
  private static let index = """
    <link rel="stylesheet" href="a.css">
    <link rel="stylesheet" href="views/b.css">
    <link rel="modulepreload" href="lib/dom.js">
    <script type="module" src="app.js"></script>
    """

  private static func bundle(_ modules: [String: String]) throws(PageBundleError) -> [String: String] {
    var texts = modules
    texts["index.html"] = index
    texts["a.css"] = "a {}"
    texts["views/b.css"] = "b {}"
    let bundle = try PageBundle(texts)
    return Dictionary(uniqueKeysWithValues: bundle.files.map { ($0.name, $0.text) } + [("index.html", bundle.index)])
  }

  @Test func importsBecomeAssignmentsInTheirOrder() throws {
    let files = try Self.bundle([
      "app.js": """
      import { h, replace as put } from "./lib/dom.js";
      import * as tree from "./views/tree.js";
      put(h(tree.mount), () => import("./views/late.js"), import.meta.url);
      """,
      "lib/dom.js": "export function h() {}\nexport async function replace() {}\nlet hidden = 1;",
      "views/tree.js": """
      import { h } from "../lib/dom.js";
      export class Tree {}
      export const mount = () => [import("./late.js"), import("../lib/dom.js")];
      export const here = import.meta.url;
      """,
    ])
    #expect(
      files["page.js"] == """
        export const modules = {};
        modules["lib/dom.js"] = (() => {
        function h() {}
        async function replace() {}
        let hidden = 1;
        return { h, replace };
        })();
        modules["views/tree.js"] = (() => {
        const { h } = modules["lib/dom.js"];
        class Tree {}
        const mount = () => [import("./views/late.js"), import("./lib/dom.js")];
        const here = new URL("./views/tree.js", import.meta.url).href;
        return { Tree, mount, here };
        })();
        modules["app.js"] = (() => {
        const { h, replace: put } = modules["lib/dom.js"];
        const tree = modules["views/tree.js"];
        put(h(tree.mount), () => import("./views/late.js"), import.meta.url);
        return {};
        })();

        """)
    #expect(
      files["lib/dom.js"] == """
        import { modules } from "../page.js";
        export const { h, replace } = modules["lib/dom.js"];

        """)
    #expect(files["app.js"] == "import { modules } from \"./page.js\";\n")
    #expect(files["page.css"] == "a {}\nb {}\n")
    #expect(
      files["index.html"] == """
        <link rel="stylesheet" href="page.css">
        <script type="module" src="page.js"></script>

        """)
  }

  @Test func whatIsNotUnderstoodIsNamed() {
    for (module, fault) in [
      ("import \"./b.js\";", "app.js imports in a way"), ("import { a } from \"./b.js\";", "b.js is missing"),
      ("import { a } from \"./app.js\";", "app.js imports itself in a circle"),
      ("export default 1;", "app.js exports in a way"), ("export { a };", "app.js exports in a way"),
    ] {
      let error = #expect(throws: PageBundleError.self, "\(module)") { try Self.bundle(["app.js": module]) }
      #expect("\(error.map { "\($0)" } ?? "")".hasPrefix(fault), "\(module)")
    }
    #expect(throws: PageBundleError(file: "index.html", fault: "is missing")) { try PageBundle([:]) }
  }

  /// Every module of the first view is in the bundle, and the index of the sources asks for the same ones early.
  @Test func thePageItselfIsBundled() throws {
    let bundle = try PageBundle(PageFiles.sources)
    let script = try #require(bundle.files.first { $0.name == PageBundle.scriptName }).text
    #expect(!script.contains("\nimport ") && !script.contains("\nexport "))
    let preloaded = try #require(PageFiles.sources["index.html"]).split(separator: "\n")
      .filter { $0.contains("modulepreload") }.map { String($0.split(separator: "\"")[3]) }
    let standIns = bundle.files.map(\.name).filter { $0.hasSuffix(".js") }
    #expect(Set(standIns) == Set(preloaded + ["app.js", PageBundle.scriptName]))
    #expect(!bundle.index.contains("modulepreload"))
  }
}
