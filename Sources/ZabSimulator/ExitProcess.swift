#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Ends the process with an exit code.
func exitProcess(_ code: Int32) -> Never { exit(code) }
