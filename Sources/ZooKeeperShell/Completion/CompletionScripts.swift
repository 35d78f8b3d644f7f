/// Generates the completion scripts for other shells.
///
/// Commands, options and fixed values are in the scripts, so that they complete at once. For names that only a server
/// knows, and for values that depend on other arguments, a script runs `zkcli __complete --shell NAME -- WORDS...`,
/// which prints one candidate on each line, with a description after a tab. Files are left to the shell.
package enum CompletionScripts {
  /// The supported shells.
  package enum Shell: String, CaseIterable, Hashable, Sendable {
    case bash, zsh, fish

    /// Where the script is kept in this package.
    package var file: String {
      switch self {
      case .bash: "completions/zkcli.bash"
      case .zsh: "completions/_zkcli"
      case .fish: "completions/zkcli.fish"
      }
    }
  }

  /// The script for a shell.
  package static func script(for shell: Shell) -> String {
    switch shell {
    case .bash: bash
    case .zsh: zsh
    case .fish: fish
    }
  }

  /// What `zkcli __complete` writes: a line for each candidate.
  ///
  /// zsh splits the lines at colons, and fish and bash at tabs. Names with line ends cannot be completed.
  package static func answer(_ candidates: [Candidate], for shell: Shell) -> String {
    candidates.filter { !$0.text.contains { $0.isNewline || $0 == "\t" } }.map { candidate in
      switch shell {
      case .bash: candidate.text + "\n"
      case .zsh, .fish: candidate.text + (candidate.note.isEmpty ? "" : "\t" + candidate.note) + "\n"
      }
    }.joined()
  }

  private static let commandNames = CommandTable.all.flatMap { [$0.name] + $0.aliases }.sorted()

  /// The forms of all options that take a file name.
  private static let fileOptions: [String] = {
    var forms: [String] = []
    for spec in ProgramOptions.all + CommandTable.all.flatMap(\.options) {
      guard case .file = spec.value?.kind else { continue }
      for form in spec.forms where !forms.contains(form) { forms.append(form) }
    }
    return forms
  }()

  // MARK: bash

  private static let bash = """
    # bash completion for zkcli. Generated from its table of commands: do not edit.

    _zkcli_commands='\(commandNames.joined(separator: " "))'

    _zkcli() {
      local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} line candidate quoted
      COMPREPLY=()
      case $previous in
        \(fileOptions.joined(separator: "|")))
          compopt -o filenames
          mapfile -t COMPREPLY < <(compgen -f -- "$current")
          return ;;
      esac
      if ((COMP_CWORD == 1)) && [[ $current != -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$_zkcli_commands" -- "$current")
        return
      fi
      # The arguments so far, without the quotes that bash leaves in them.
      local -a arguments=()
      for line in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        arguments+=("$(_zkcli_unquote "$line")")
      done
      # Bash also splits at = and :, and replaces only the text after them.
      _zkcli_join arguments
      local full=${arguments[-1]} replaced
      replaced=$(_zkcli_unquote "$current")
      [[ $current == [=:] ]] && replaced=
      local keep=${full%"$replaced"}
      while IFS= read -r candidate; do
        candidate=${candidate#"$keep"}
        case $current in
          # Readline keeps the open quote; only characters that would end it must be escaped.
          \\'*) quoted=${candidate//\\'/\\'\\\\\\'\\'} ;;
          '"'*)
            quoted=${candidate//\\\\/\\\\\\\\}
            quoted=${quoted//\\"/\\\\\\"}
            quoted=${quoted//\\$/\\\\$}
            quoted=${quoted//\\`/\\\\\\`} ;;
          # printf would also quote letters of other scripts, which need no quotes.
          *)
            printf -v quoted %q "$candidate"
            [[ $candidate != *[![:alnum:]/._:,=+@%^-]* ]] && quoted=$candidate ;;
        esac
        COMPREPLY+=("$quoted")
      done < <("${COMP_WORDS[0]}" __complete --shell bash -- "${arguments[@]}" 2>/dev/null)
      # A path can continue after a slash, so no blank is added.
      [[ ${COMPREPLY[0]} == /* || ${COMPREPLY[0]} == *= ]] && compopt -o nospace
    }

    # Removes the quotes from an argument, without evaluating it.
    _zkcli_unquote() {
      local text=$1 result= state=
      local -i index
      for ((index = 0; index < ${#text}; index++)); do
        local letter=${text:index:1}
        case $state$letter in
          "'"|'"') state=$letter ;;
          "''"|'""') state= ;;
          \\\\|\\"\\\\) index+=1; result+=${text:index:1} ;;
          *) result+=$letter ;;
        esac
      done
      printf %s "$result"
    }

    # Joins the elements of the named array that bash has split at = and :.
    _zkcli_join() {
      local -n parts=$1
      local -a joined=()
      local part glue=
      for part in "${parts[@]}"; do
        if [[ $part == [=:] && ${#joined[@]} -gt 0 ]]; then
          joined[-1]+=$part
          glue=1
        elif [[ $glue ]]; then
          joined[-1]+=$part
          glue=
        else
          joined+=("$part")
        fi
      done
      parts=("${joined[@]}")
    }

    complete -F _zkcli zkcli

    """

  // MARK: zsh

  private static let zsh = """
    #compdef zkcli
    # zsh completion for zkcli. Generated from its table of commands: do not edit.

    _zkcli() {
      local -a commands candidates notes arguments
      local line note
      commands=(
    \(CommandTable.all.flatMap(zshCommands).joined(separator: "\n"))
      )
      case ${words[CURRENT-1]} in
        \(fileOptions.joined(separator: "|")))
          _files
          return ;;
      esac
      if (( CURRENT == 2 )) && [[ $PREFIX != -* ]]; then
        _describe -t commands 'zkcli command' commands
        return
      fi
      # (Q) removes the quotes; compadd adds those that a candidate needs.
      arguments=("${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}")
      while IFS= read -r line; do
        candidates+=("${line%%$'\\t'*}")
        note=${line#*$'\\t'}
        [[ $note == "$line" ]] && notes+=("$candidates[-1]") || notes+=("$candidates[-1]  -- $note")
      done < <("${words[1]}" __complete --shell zsh -- "${arguments[@]}" 2>/dev/null)
      (( ${#candidates} )) || return 1
      # A path can continue after a slash, so no blank is added.
      if [[ ${candidates[1]} == */* ]]; then
        compadd -S '' -d notes -l -a candidates
      else
        compadd -d notes -l -a candidates
      fi
    }

    if [[ $funcstack[1] == _zkcli ]]; then
      _zkcli "$@"
    else
      compdef _zkcli zkcli
    fi

    """

  private static func zshCommands(_ spec: CommandSpec) -> [String] {
    ([spec.name] + spec.aliases).map { "    " + singleQuoted("\($0):\(spec.summary)") }
  }

  // MARK: fish

  private static let fish = """
    # fish completion for zkcli. Generated from its table of commands: do not edit.

    function __zkcli_candidates
        # Without -x, which would split again: the arguments have no quotes any longer.
        set -l arguments (commandline -opc) (commandline -ct | string unescape)
        $arguments[1] __complete --shell fish -- $arguments[2..-1] 2>/dev/null
    end

    function __zkcli_needs_command
        test (count (commandline -opc)) -eq 1
    end

    function __zkcli_needs_file
        set -l arguments (commandline -opc)
        contains -- $arguments[-1] \(fileOptions.joined(separator: " "))
    end

    complete -c zkcli -f
    \(CommandTable.all.flatMap(fishCommands).joined(separator: "\n"))
    complete -c zkcli -n __zkcli_needs_file -F
    complete -c zkcli -n 'not __zkcli_needs_command; and not __zkcli_needs_file' -a '(__zkcli_candidates)'
    complete -c zkcli -n '__zkcli_needs_command; and string match -q -- "-*" (commandline -ct)' \
    -a '(__zkcli_candidates)'

    """

  private static func fishCommands(_ spec: CommandSpec) -> [String] {
    ([spec.name] + spec.aliases).map { name in
      "complete -c zkcli -n __zkcli_needs_command -a \(name) -d \(singleQuoted(spec.summary))"
    }
  }

  /// The text in single quotes as all three shells read them. No text of the table contains a quote or a backslash.
  private static func singleQuoted(_ text: String) -> String {
    precondition(!text.contains { $0 == "'" || $0 == "\\" }, "a summary would break the completion scripts: \(text)")
    return "'\(text)'"
  }
}

extension OptionSpec {
  /// All spellings of the option.
  fileprivate var forms: [String] {
    [short.map { "-\($0)" }, name.long.map { "--\($0)" }, oldWord.map { "-\($0)" }].compactMap(\.self)
  }
}
