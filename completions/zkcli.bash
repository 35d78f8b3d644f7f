# bash completion for zkcli. Generated from its table of commands: do not edit.

_zkcli_commands='acl addWatch addauth admin apply barrier bench cat cd close clusters commit config connect counter cp create delete deleteall delquota diff du edit elect exists exit export find get getAcl getAllChildrenNumber getEphemerals grep group health help history id import latency listquota local lock log ls members metrics mirror multi mv printwatches pwd queue quit ready reconfig redo removewatches rendezvous repeat rm rmr server sessions set setAcl setquota snap snapshot stat sync time top tree undelete use version wait watch watchers web who whoami word'

_zkcli() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} line candidate quoted
  COMPREPLY=()
  case $previous in
    --config|--client-configuration|-client-configuration|--auth-file|--cacert|--cert|--key|--key-password-file|--password-file|--keytab|-f|--script|--data-dir|--replay|--file|--log-dir|--audit|-file|--log-file|--client-ca|--token-file|--access-log|--dir)
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
      \'*) quoted=${candidate//\'/\'\\\'\'} ;;
      '"'*)
        quoted=${candidate//\\/\\\\}
        quoted=${quoted//\"/\\\"}
        quoted=${quoted//\$/\\$}
        quoted=${quoted//\`/\\\`} ;;
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
      \\|\"\\) index+=1; result+=${text:index:1} ;;
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
