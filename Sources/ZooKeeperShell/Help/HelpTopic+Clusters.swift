extension HelpTopic {
  static let clustersText: [Part] = [
    .paragraph(
      "The file ~/.config/zkcli/config.toml names clusters: -c NAME connects to one, use NAME in the shell changes to"
        + " one, and clusters lists them. $XDG_CONFIG_HOME, $ZKCLI_CONFIG and --config FILE choose another file. It is"
        + " written in TOML:"),
    .definitions([
      ("default = \"dev\"", "the cluster if neither options nor variables name one, or servers"),
      ("[clusters.prod]", "begins the settings of the cluster prod"),
      ("servers = \"zk1:2181,zk2:2181/app\"", "as for -s; or an array"),
      ("timeout, connect-timeout, session-timeout = \"10s\"", "as the options of that name"),
      (
        "tls = { enable = true, cacert = \"ca.pem\" }",
        "also cert, key, key-password-file, server-name, insecure; tls = true alone uses the authorities of the system"
      ),
      (
        "auth = [{ scheme = \"digest\", user = \"bob\", password-file = \"~/bob.secret\" }]",
        "identities; the password is the first line of the file, the variable password-env, or the output of the"
          + " command password-command; without any of them zkcli asks for it"
      ),
      (
        "sasl = { mechanism = \"digest\", user = \"bob\", password-env = \"PW\" }",
        "or gssapi with principal, keytab and service"
      ),
      ("protected = true", "a red prompt; commands that delete or overwrite many znodes ask for the cluster's name"),
      ("read-only = true", "commands that write are refused"),
      ("prompt-color = \"cyan\"", "the colour of the name: red, green, yellow, blue, magenta or cyan"),
      ("[aliases]", "user-defined commands, for the shell and the command line, but not for scripts:"),
      ("ll = \"ls -l\"", "more arguments can follow the alias"),
    ]),
    .paragraph(
      "Options take precedence over variables, and variables over the file; -v shows where a setting is from. A"
        + " cluster is used as a whole or not at all: -s and $ZKCLI_SERVER override all of it. In a script,"
        + " a protected cluster needs --yes=NAME; --yes alone is not enough. Relative file names start at the"
        + " directory of the configuration file. Unknown keys are errors."),
  ]
}
