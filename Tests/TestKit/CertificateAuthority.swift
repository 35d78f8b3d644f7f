import Foundation

/// An authority that issues certificates for a test, by `openssl`.
///
/// *Thread*: any.
public struct CertificateAuthority: Sendable {
  /// Holds everything.
  public let directory: String
  private let name: String

  /// The authority's certificate.
  public var certificate: String { "\(directory)/ca.pem" }

  /// Makes an authority.
  ///
  /// - Throws: `TestKitError.missing` if `openssl` is missing or fails.
  public static func make(_ name: String = "Authority of a test") async throws -> CertificateAuthority {
    let authority = CertificateAuthority(directory: try Scratch.directory("authority"), name: name)
    try await authority.openssl(
      "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "10", "-subj", "/CN=\(name)", "-keyout", "ca-key.pem",
      "-out", "ca.pem")
    return authority
  }

  /// Issues a certificate.
  ///
  /// - Parameters:
  ///   - file: the name of the file that is written, with the key, the certificate and that of the authority.
  ///   - subject: in openssl's form; `/` is nobody.
  ///   - names: the alternative names, in the form of openssl's configurations.
  ///   - hasNUL: whether each `!!!` in the names becomes as many NULs, which openssl would not write.
  /// - Returns: the file's path; only its owner can read it.
  @discardableResult
  public func issue(
    _ file: String, subject: String, names: String? = nil, hasNUL: Bool = false
  ) async throws -> String {
    let path = "\(directory)/\(file)"
    try await openssl(
      "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
      "\(file).key", "-out", "\(file).csr")
    try Scratch.write(names.map { "subjectAltName=\($0)\n" } ?? "keyUsage=digitalSignature\n", to: "\(path).ext")
    try await openssl(
      "x509", "-req", "-in", "\(file).csr", "-CA", "ca.pem", "-CAkey", "ca-key.pem", "-days", "10", "-set_serial",
      "\(UInt32.random(in: 1...UInt32.max))", "-extfile", "\(file).ext", "-out", "\(file).crt")
    if hasNUL { try await putNUL(into: file) }
    let parts = try ["\(path).key", "\(path).crt", certificate].map { try String(contentsOfFile: $0, encoding: .utf8) }
    try Scratch.write(parts.joined(), to: "\(path).new")
    try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: "\(path).new")
    // Whoever reads it again at this moment gets all of it, or all of the former one.
    guard rename("\(path).new", path) == 0 else { throw TestKitError.systemCall("rename") }
    return path
  }

  /// Replaces each `!!!` in a certificate, and signs it again.
  private func putNUL(into file: String) async throws {
    let path = "\(directory)/\(file)"
    try await openssl("x509", "-in", "\(file).crt", "-outform", "DER", "-out", "\(file).der")
    var bytes = [UInt8](try Data(contentsOf: URL(filePath: "\(path).der")))
    bytes.replace(Array("!!!".utf8), with: [0, 0, 0])
    // A sequence of the signed part, the algorithm, and the signature, which is that of a key of 2048 bits. Both
    // sequences are longer than 255 bytes.
    let length = Int(bytes[6]) << 8 | Int(bytes[7])
    try Data(bytes[4..<8 + length]).write(to: URL(filePath: "\(path).signed"))
    try await openssl("dgst", "-sha256", "-sign", "ca-key.pem", "-out", "\(file).signature", "\(file).signed")
    let signature = try Data(contentsOf: URL(filePath: "\(path).signature"))
    bytes.replaceSubrange(bytes.count - 256..<bytes.count, with: signature)
    try Data(bytes).write(to: URL(filePath: "\(path).der"))
    try await openssl("x509", "-inform", "DER", "-in", "\(file).der", "-out", "\(file).crt")
  }

  private func openssl(_ arguments: String...) async throws {
    let script = "cd \"$1\" && shift && exec openssl \"$@\""
    let run = try await CommandRun.run("/bin/sh", ["-c", script, "sh", directory] + arguments, timeLimit: .seconds(60))
    guard run.exitStatus == 0 else { throw TestKitError(.missing, "openssl: \(run.errorOutput)") }
  }
}
