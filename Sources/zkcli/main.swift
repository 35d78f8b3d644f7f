import ZooKeeperShell

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

exit(Program.run(Program.processArguments(CommandLine.argc, CommandLine.unsafeArgv)))
