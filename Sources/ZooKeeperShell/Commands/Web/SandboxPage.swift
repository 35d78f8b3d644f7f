import Platform
import ZooKeeperProtocol
import ZooKeeperSandbox
import ZooKeeperWeb

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The page of `--local --web`, which is served in addition to the command or the shell of a sandbox.
struct SandboxPage {
  private let server: WebServer

  /// The address that the option gives.
  ///
  /// - Throws: a usage error for an address that other machines can reach, because there is no login.
  static func address(_ word: Word) throws(ShellError) -> ServerAddress {
    guard !word.bytes.isEmpty else { return WebAddress.usual }
    let address = try WebAddress.read(word, of: "--web")
    guard address.isLoopback else {
      throw .usage(
        "--web \(Tokenizer.quote(word)) is not a loopback address",
        hint: "for other machines: zkcli --local web --listen \(address) --cert FILE")
    }
    return address
  }

  /// Starts the page and prints its address.
  ///
  /// - Throws: exit code 12 if it cannot listen on the address.
  static func start(
    at address: ServerAddress, _ sandbox: LocalEnsemble, _ settings: ShellSettings, _ environment: ShellEnvironment,
    _ output: Output
  ) throws(ShellError) -> SandboxPage {
    // On a terminal, the access log would disturb the user.
    let log: WebLog? = environment.stderrIsTerminal ? nil : WebLog()
    let server = try waiting { () async throws(ShellError) in
      do {
        let clusters = try await WebClusters.make(settings, environment, output)
        var web = WebSettings(
          clusters: clusters.all, current: clusters.current, version: Version.text, shell: .shell)
        web.host = address.host
        web.port = address.port
        web.sandbox = sandbox
        if let log { web.log = { log.write($0) } }
        return try await WebServer.start(web)
      } catch let error as WebStartError {
        throw ShellError(.localInputOutput, "Server", error.message, hint: error.hint)
      } catch {
        throw ShellError(error)
      }
    }
    if !settings.isQuiet { try output.write(.err("zkcli: page at \(server.url)\n")) }
    return SandboxPage(server: server)
  }

  /// Ends its connections and sessions.
  func stop() {
    let gate = Gate<Void>()
    Task { [server] in
      await server.stop()
      gate.open(())
    }
    gate.wait()
  }

  /// Runs work as a task, and waits for it.
  private static func waiting<Value: Sendable>(
    _ work: @escaping @Sendable () async throws(ShellError) -> Value
  ) throws(ShellError) -> Value {
    let gate = Gate<Result<Value, ShellError>>()
    Task {
      do throws(ShellError) {
        gate.open(.success(try await work()))
      } catch {
        gate.open(.failure(error))
      }
    }
    return try gate.wait().get()
  }
}
