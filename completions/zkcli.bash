# bash completion for zkcli. Generated from its table of commands: do not edit.

_zkcli_commands='acl addWatch addauth admin apply barrier bench cat cd close clusters commit config connect counter cp create delete deleteall delquota diff du edit elect exists exit export find get getAcl getAllChildrenNumber getEphemerals grep group health help history id import latency listquota local lock log ls members metrics mirror multi mv printwatches pwd queue quit ready reconfig redo removewatches rendezvous repeat rm rmr server sessions set setAcl setquota snap snapshot stat sync time top tree undelete use version wait watch watchers web who whoami word'

_zkcli() {
  local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} line candidate quoted
  COMPREPLY=()
  case $previous in
    --config|--client-configuration|-client-configuration|--auth-file|--cacert|--cert|--key|--key-password-file|--password-file|--keytab|-f|--script|--data-dir|--replay|--file|--log-dir|--audit|-file|--log-file|--client-ca|--token-file|--access-log|--dir)
      compopt -o filenames
      mapfile -t COMPREPLY < <(compgen -f -- "$word")
      return ;;
  esac
  if ((COMP_CWORD == 1)) && [[ $word != -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$_zkcli_commands" -- "$word")
    return
  fi
  # The words so far, with the quotes taken away that bash leaves in them.
  local -a words=()
  for line in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
    words+=("$(_zkcli_unquote "$line")")
  done
  # Bash makes words of = and : too, and replaces only what stands behind them.
  _zkcli_join words
  local full=${words[-1]} replaced
  replaced=$(_zkcli_unquote "$word")
  [[ $word == [=:] ]] && replaced=
  local keep=${full%"$replaced"}
  while IFS= read -r candidate; do
    candidate=${candidate#"$keep"}
    case $word in
      # Readline keeps the quote that is open: only what would end it needs care.
      \'*) quoted=${candidate//\'/\'\\\'\'} ;;
      '"'*)
        quoted=${candidate//\\/\\\\}
        quoted=${quoted//\"/\\\"}
        quoted=${quoted//\$/\\$}
        quoted=${quoted//\`/\\\`} ;;
      # Bash would quote letters of other scripts, which need no quotes.
      *)
        printf -v quoted %q "$candidate"
        [[ $candidate != *[![:alnum:]/._:,=+@%^-]* ]] && quoted=$candidate ;;
    esac
    COMPREPLY+=("$quoted")
  done < <("${COMP_WORDS[0]}" __complete --shell bash -- "${words[@]}" 2>/dev/null)
  # A path goes on behind a slash; a blank would be in the way.
  [[ ${COMPREPLY[0]} == /* || ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

# Takes the quotes from a word, without running anything in it.
_zkcli_unquote() {
  local text=$1 result= state=
  local -i index
  for ((index = 0; index < ${#text}; index++)); do
    local letter=${text:index:1}
    case $state$letter in
      "'"|'"') state=$letter ;;
      "''"|'""') state= ;;
      \\|\"\\) index+=1; result+=${text:index:1} ;;
      *) result+=$letter ;;
    esac
  done
  printf %s "$result"
}

# Joins the words of the named array that bash split at = and :.
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
