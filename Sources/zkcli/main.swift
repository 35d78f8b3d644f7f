import ZooKeeperShell

Program.main(CommandLine.argc, CommandLine.unsafeArgv)
