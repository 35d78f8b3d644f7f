#!/usr/bin/env bash
# TLS beside Apache's 3.8.0 with Netty in one run: CPU of pipelined reads and of handshakes, and of a one-shot command.
#
#   Tests/Benchmarks/tls.sh [-n SCALE] [ZKCLI]
#
#   -n SCALE   how much is measured, as a multiple of the usual amount (default 1)
#   ZKCLI      the binary (default: .build/release/zkcli; build it with the flags of the README)
#
# Prints the samples and the project's bars with a verdict on each; exits with 1 if one is missed. CPU is what the
# kernel accounts to the server, or to the command; on a busy machine it still means something, times do not. Needs
# Debian's zookeeper and libnetty-java, openssl and Python 3.
set -euo pipefail
repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
scale=1
while getopts n:h option; do
  case $option in
    n) scale=$OPTARG ;;
    *) sed -n '2,/^set/p' "$0" | sed '$d; s/^# \{0,1\}//'; exit 2 ;;
  esac
done
shift $((OPTIND - 1))
zkcli=$(realpath "${1:-$repository/.build/release/zkcli}")
[[ -x $zkcli ]] || { echo "$zkcli does not exist: build it first" >&2; exit 2; }

work=$(mktemp -d)
servers=()
cleanup() {
  for server in "${servers[@]}"; do kill "$server" 2>/dev/null && wait "$server" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

# A key of 2048 bits, which both servers use.
cd "$work"
{
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=Benchmark' -keyout ca.key -out ca.pem
  openssl req -newkey rsa:2048 -nodes -subj '/CN=server' -keyout server.key -out server.csr
  openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -days 2 -set_serial 1 -out server.crt \
    -extfile <(echo 'subjectAltName=DNS:localhost,IP:127.0.0.1')
} 2> openssl.log || { cat openssl.log >&2; exit 2; }
cat server.key server.crt ca.pem > server.pem
chmod 600 server.pem

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# start NAME COMMAND...: starts a server with both kinds of ports, and sets its process, port and secure port.
start() {
  local name=$1
  shift
  mkdir -p "$name/data"
  port=$(free_port) secure=$(free_port)
  printf '%s\n' "dataDir=$work/$name/data" "clientPort=$port" clientPortAddress=127.0.0.1 maxClientCnxns=0 \
    "secureClientPort=$secure" secureClientPortAddress=127.0.0.1 admin.enableServer=false \
    serverCnxnFactory=org.apache.zookeeper.server.NettyServerCnxnFactory ssl.clientAuth=none \
    "ssl.keyStore.location=$work/server.pem" "ssl.trustStore.location=$work/ca.pem" > "$name/zoo.cfg"
  "$@" "$work/$name/zoo.cfg" > "$name/log" 2>&1 &
  process=$!
  servers+=("$process")
  for attempt in {1..600}; do
    ZKCLI_SERVER=127.0.0.1:$port "$zkcli" -q exists / 2>/dev/null && return
    kill -0 "$process" 2>/dev/null || break
    sleep 0.1
  done
  cat "$name/log" >&2
  exit 2
}

jars=/usr/share/java/zookeeper.jar:/usr/share/java/netty-codec.jar:/usr/share/java/netty-resolver.jar
start apache java -Xmx1g -Dzookeeper.jmx.log4j.disable=true -cp "$jars" \
  org.apache.zookeeper.server.quorum.QuorumPeerMain
apache=$process:$port:$secure
start zkcli "$zkcli" server run
"$repository/Tests/Benchmarks/tls-load.py" "$scale" "$work/ca.pem" "$zkcli" "apache=$apache" \
  "zkcli=$process:$port:$secure"
