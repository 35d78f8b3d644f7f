/// What `help` explains besides commands.
public enum HelpTopic: String, CaseIterable, Hashable, Sendable {
  case exitCodes = "exit-codes"
  case options
  case quoting
  case values
  case output
  case environment
  case compatibility
}
