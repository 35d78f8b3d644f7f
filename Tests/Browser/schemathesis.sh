#!/usr/bin/env bash
# Requests that schemathesis makes of the description of the API, right and wrong ones, to a server of its own.
#
#   Tests/Browser/schemathesis.sh [-n EXAMPLES] [-s SEED] [ZKCLI]
#
#   -n EXAMPLES  how many requests are made for each endpoint in a phase (default 30)
#   -s SEED      repeats an earlier run
#   ZKCLI        the binary (default: .build/release/zkcli)
#
# The first pass is about a standalone server, the second about the sandbox, whose servers are killed and restarted in
# it. The streams of events are left out, because they have no end, and files, which it cannot make. schemathesis is installed from PyPI into a directory beside
# the build's products. Exits with 1 if an answer is not as the description says.
set -euo pipefail
examples=30 seed=$RANDOM
while getopts n:s:h option; do
  case $option in
    n) examples=$OPTARG ;;
    s) seed=$OPTARG ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
zkcli=$(realpath "${1:-$repository/.build/release/zkcli}")
environment=${SCHEMATHESIS_HOME:-$repository/.build/schemathesis}
[[ -x $environment/bin/schemathesis ]] || {
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check 'schemathesis==4.32.5'
}
work=$(mktemp -d)
server='' page=''
cleanup() {
  for process in $page $server; do kill "$process" 2> /dev/null && wait "$process" 2> /dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# serve OPTIONS...: starts the page, and sets url and token.
serve() {
  rm -f "$work/url"
  "$zkcli" "$@" web --listen 127.0.0.1:0 > "$work/url" 2> "$work/log" &
  page=$!
  for _ in {1..200}; do [[ -s $work/url ]] && break; sleep 0.05; done
  url=$(head -1 "$work/url")
  token=$(curl --silent "${url}api/v1/session" | sed 's/.*"token":"\([^"]*\)".*/\1/')
}

# check OPTIONS...: makes the requests.
check() {
  "$environment/bin/schemathesis" --config-file "$repository/Tests/Browser/schemathesis.toml" \
    run "${url}api/v1/openapi.yaml" --header "X-Zkcli-Token: $token" \
    --exclude-checks ignored_auth,unsupported_method --phases examples,coverage,fuzzing --max-examples "$examples" \
    --seed "$seed" --no-color --warnings off "$@"
}

echo "seed $seed"
status=0
"$zkcli" --local --port 0 -- sleep 100000 2> "$work/server" &
server=$!
for _ in {1..200}; do [[ -s $work/server ]] && break; sleep 0.05; done
serve -s "$(sed 's/.* //' "$work/server")"
check --exclude-path-regex '^/(sandbox|events|import)' || status=1
kill "$page" && wait "$page" || true
serve --local 3
check --include-path-regex '^/sandbox' || status=1
exit "$status"
