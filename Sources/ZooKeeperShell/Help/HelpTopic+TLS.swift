extension HelpTopic {
  /// The explanation of TLS.
  static let tlsText: [Part] = [
    .paragraph(
      "With --tls, or zks:// in front of the servers, connections are encrypted with TLS 1.2 or 1.3, and the port is"
        + " the server's secureClientPort. TLS is used only if it is asked for, and zkcli never falls back to a"
        + " connection without encryption."),
    .definitions([
      ("zkcli -s zks://zk1:2281 get /a", "trust the authorities that the system trusts"),
      ("zkcli --tls --cacert ca.pem -s zk1:2281 ls /", "trust the authorities of a file"),
      (
        "zkcli --tls --cacert ca.pem --cert me.pem --key me-key.pem -s zk1:2281 whoami",
        "present a certificate, as servers with ssl.clientAuth=need require"
      ),
    ]),
    .paragraph(
      "Files of certificates and keys can be PEM, PKCS#12 or Java's own key stores (JKS); the format is recognized"
        + " from the contents. --key-password-file names a file with the password of the key, or of the store. The"
        + " server's certificate must be for the host name in the connect string, or for the name after"
        + " --tls-server-name. --insecure accepts any certificate, and is for tests only."),
    .paragraph(
      "Java's client properties from --client-configuration or CLIENT_JVMFLAGS are used:"
        + " zookeeper.client.secure, and zookeeper.ssl.keyStore.location, .password, .passwordPath, the same of"
        + " trustStore, zookeeper.ssl.protocol, .enabledProtocols, .ciphersuites and .hostnameVerification. Options"
        + " take precedence."),
    .paragraph(
      "A server takes Apache's keys: secureClientPort, or client.portUnification for a port that takes both kinds, with"
        + " ssl.keyStore.location, .trustStore.location and .clientAuth; between servers sslQuorum, with the same of"
        + " ssl.quorum; for the AdminServer admin.forceHttps or admin.portUnification, with the stores of ssl.quorum."
        + " With client.certReload and sslQuorumReloadCertFiles, replaced certificates are used without a"
        + " restart. server check opens the stores, and reports missing protection as a fault."),
  ]
}
