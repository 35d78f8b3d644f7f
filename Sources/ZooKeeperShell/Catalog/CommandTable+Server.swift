import ZooKeeperSandbox

extension CommandTable {
  static let server = CommandSpec(
    .server, "server", summary: "Run a ZooKeeper server on a zoo.cfg",
    arguments: [
      ArgumentSpec("action", .choice(ServerCommand.actions)),
      ArgumentSpec("file", .file, isOptional: true),
    ],
    options: [
      OptionSpec(
        .logLevel, value: ("LEVEL", .choice(DaemonLog.Settings.levels)),
        "log from this level on (default info; -v: debug)"),
      OptionSpec(.logFormat, value: ("FORMAT", .choice(DaemonLog.Settings.formats)), "log lines of text, or of JSON"),
      OptionSpec(.logFile, value: ("FILE", .file), "log to this file instead of stderr"),
      OptionSpec(.logSize, value: ("SIZE", .word), "begin a new file at this size (default 10M; 0: never)"),
      OptionSpec(.logFiles, value: ("N", .number), "keep N earlier files, as FILE.1 and so on (default 10)"),
      OptionSpec(.user, value: ("USER", .word), "with unit: the user that the server runs as (default zookeeper)"),
      OptionSpec(.sysusers, "with unit: print a line for sysusers.d instead"),
    ],
    details: [
      "run serves in the foreground and logs to stderr. start, stop, restart, condrestart and status manage a server in"
        + " the background by the file zookeeper_server.pid in its data directory; a process that is not the"
        + " server of this directory is never ended. condrestart restarts a server only if it runs. check"
        + " reports the faults of a configuration. print-cmd prints the command that start runs.",
      "upgrade-check reads the configuration or the data directory of Apache's server without changing"
        + " anything, and reports what would be different here. The exit code is 1 if this server would not start on"
        + " it, and the server that uses the directory should be stopped.",
      "repair makes a damaged data directory usable again, which a server never does by itself: the log is"
        + " truncated at the first damaged record. The rest is lost to clients, but kept in files named"
        + " damaged-*.",
      "The file defaults to $ZOOCFG, or to zoo.cfg in $ZOOCFGDIR or /etc/zookeeper/conf. Under the name"
        + " zookeeper-server the program takes the arguments of zkServer.sh.",
      "SIGTERM and ^C stop the server: it answers the requests that it has read, a leader hands over, clients see the"
        + " end of their connections. SIGHUP reopens the log file, for logrotate. SIGUSR1 lowers the log level by one,"
        + " SIGUSR2 restores the initial one; the AdminServer's command log_level?level=debug sets it over HTTP.",
      "unit prints a unit file for systemd, with the directories of the configuration. Under systemd the server reports"
        + " when it serves, answers the watchdog from its event loop, and writes lines with priorities to the journal.",
      "Without clientPortAddress, clients can connect to any address of the machine, as with Apache's server. The"
        + " AdminServer without admin.serverAddress and the metrics without metricsProvider.httpHost listen on"
        + " loopback only, where Apache's server listens on all addresses.",
      "DigestAuthenticationProvider.superDigestPath, which Apache's server does not know, names a file whose only"
        + " line is the digest of the superuser, so that zoo.cfg needs none.",
      "With audit.enable=true, changes are logged to zookeeper_audit.log in auditlog.dir, or else in log.dir or"
        + " dataDir, with Apache's fields. Ten earlier files of 10 MB are kept.",
    ],
    examples: [
      .init("server run zoo.cfg", "run until SIGTERM or ^C"),
      .init("server run --log-format json --log-file zk.log zoo.cfg", "JSON lines, in files of 10 MB"),
      .init("server check /etc/zookeeper/conf/zoo.cfg", "every fault with its line"),
      .init("server upgrade-check /etc/zookeeper/conf/zoo.cfg", "before Apache's server is replaced"),
      .init("server unit --user zookeeper", "for /etc/systemd/system/zookeeper.service"),
      .init("server unit --sysusers", "for /usr/lib/sysusers.d/zookeeper.conf"),
    ], usage: "action [option...] [file]")
}
