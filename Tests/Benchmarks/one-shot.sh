#!/bin/bash
# What single commands cost: zkcli beside Apache's C client (cli_mt) and zkCli.sh, on one server in one run.
#
# Usage: one-shot.sh ZKCLI [RUNS]
#   ZKCLI  a release build, such as .build/release/zkcli
#   RUNS   how often the cheap commands run (default 100)
#
# Takes Debian's zookeeper and zookeeper-bin, java and cc. Prints a table and the bars of the project with a verdict;
# exits with 1 if one is missed. CPU time is user and system, children included, as the kernel accounts it; on a busy
# machine trust it and the ratios, not the wall time.
set -euo pipefail

zkcli=$(realpath "${1:?usage: one-shot.sh ZKCLI [RUNS]}")
runs=${2:-100}
cli_mt=/usr/lib/zookeeper/bin/cli_mt
zkcli_sh=/usr/share/zookeeper/bin/zkCli.sh
for program in "$zkcli" "$cli_mt" "$zkcli_sh" /usr/bin/java; do
  [[ -x $program ]] || { echo "one-shot.sh: $program is missing" >&2; exit 2; }
done

directory=$(mktemp -d)
server=
cleanup() {
  [[ -z $server ]] || { kill "$server" 2>/dev/null && wait "$server" 2>/dev/null; } || true
  rm -rf "$directory"
}
trap cleanup EXIT

# Runs a command again and again, and prints: mean CPU ms, mean wall ms, least wall ms, peak RSS KiB.
cat > "$directory/measure.c" <<'C'
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
  int runs = atoi(argv[1]);
  double cpu = 0, wall = 0, least = 1e9;
  long peak = 0;
  for (int run = 0; run < runs; run++) {
    struct timespec start, end;
    clock_gettime(CLOCK_MONOTONIC, &start);
    pid_t child = fork();
    if (child == 0) {
      int null = open("/dev/null", O_RDWR);
      dup2(null, 0), dup2(null, 1), dup2(null, 2);
      execvp(argv[2], argv + 2);
      _exit(127);
    }
    struct rusage usage;
    int status;
    if (child < 0 || wait4(child, &status, 0, &usage) < 0) return 1;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 127) return 1;
    clock_gettime(CLOCK_MONOTONIC, &end);
    double elapsed = (end.tv_sec - start.tv_sec) * 1e3 + (end.tv_nsec - start.tv_nsec) / 1e6;
    cpu += (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3
      + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
    wall += elapsed;
    if (elapsed < least) least = elapsed;
    if (usage.ru_maxrss > peak) peak = usage.ru_maxrss;
  }
  printf("%.2f %.2f %.2f %ld\n", cpu / runs, wall / runs, least, peak);
}
C
cc -O1 -o "$directory/measure" "$directory/measure.c"

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    (exec 3<> "/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

port=$(free_port)
closed=$(free_port)
mkdir "$directory/data"
cat > "$directory/zoo.cfg" <<EOF
dataDir=$directory/data
clientPort=$port
clientPortAddress=127.0.0.1
maxClientCnxns=0
admin.enableServer=false
EOF
/usr/bin/java -Xmx256m -XX:+UseSerialGC -Dzookeeper.jmx.log4j.disable=true -Dzookeeper.preAllocSize=256 \
  -Dzookeeper.forceSync=no -cp /usr/share/java/zookeeper.jar \
  org.apache.zookeeper.server.quorum.QuorumPeerMain "$directory/zoo.cfg" > "$directory/server.log" 2>&1 &
server=$!

export ZKCLI_SERVER=127.0.0.1:$port
for attempt in {1..600}; do
  "$zkcli" -q sync 2>/dev/null && break
  kill -0 "$server" 2>/dev/null || { cat "$directory/server.log" >&2; exit 2; }
  [[ $attempt -lt 600 ]] || { echo "one-shot.sh: the server does not serve" >&2; exit 2; }
  sleep 0.1
done

"$zkcli" create /x v > /dev/null
{
  echo create /tree
  for folder in {001..100}; do
    line="create /tree/$folder"
    for leaf in {01..99}; do line+=" , create /tree/$folder/$leaf"; done
    echo "multi $line"
  done
} | "$zkcli" > /dev/null
count=$("$zkcli" ls -R /tree | wc -l)
[[ $count -eq 10001 ]] || { echo "one-shot.sh: the tree has $count znodes" >&2; exit 2; }

# The servers warm up on what is measured, so that the first measured program does not pay for it.
"$directory/measure" 200 "$zkcli" get /x > /dev/null
"$directory/measure" 5 "$zkcli" ls -R /tree > /dev/null

measure() { "$directory/measure" "$@"; }
read -r cpu_ours wall_ours best_ours rss_ours < <(measure "$runs" "$zkcli" get /x)
read -r cpu_c wall_c best_c rss_c < <(measure "$runs" "$cli_mt" -h "$ZKCLI_SERVER" -c 'get /x')
read -r cpu_java wall_java best_java rss_java < <(measure 5 "$zkcli_sh" -server "$ZKCLI_SERVER" get /x)
read -r cpu_compat wall_compat best_compat rss_compat < <(measure "$runs" "$zkcli" --compat get /x)
read -r cpu_tree wall_tree best_tree rss_tree < <(measure 10 "$zkcli" ls -R /tree)
read -r cpu_tree_java wall_tree_java best_tree_java rss_tree_java < <(
  measure 1 "$zkcli_sh" -server "$ZKCLI_SERVER" ls -R /tree)
read -r cpu_closed wall_closed best_closed rss_closed < <(measure 10 "$zkcli" -s "127.0.0.1:$closed" get /x)

row() { awk -v name="$1" -v cpu="$2" -v wall="$3" -v best="$4" -v rss="$5" \
  'BEGIN { printf "%-32s %10.2f %10.2f %10.2f %10.1f\n", name, cpu, wall, best, rss / 1024 }'; }
printf '%-32s %10s %10s %10s %10s\n' command 'CPU ms' 'wall ms' 'best ms' 'RSS MiB'
row 'zkcli get /x' "$cpu_ours" "$wall_ours" "$best_ours" "$rss_ours"
row 'zkcli --compat get /x' "$cpu_compat" "$wall_compat" "$best_compat" "$rss_compat"
row 'cli_mt get /x' "$cpu_c" "$wall_c" "$best_c" "$rss_c"
row 'zkCli.sh get /x' "$cpu_java" "$wall_java" "$best_java" "$rss_java"
row 'zkcli ls -R, 10,000 znodes' "$cpu_tree" "$wall_tree" "$best_tree" "$rss_tree"
row 'zkCli.sh ls -R, 10,000 znodes' "$cpu_tree_java" "$wall_tree_java" "$best_tree_java" "$rss_tree_java"
row 'zkcli, refused port' "$cpu_closed" "$wall_closed" "$best_closed" "$rss_closed"
echo

failures=0
# bar NAME VALUE RELATION LIMIT UNIT
bar() {
  local verdict=ok
  awk -v value="$2" -v limit="$4" -v relation="$3" \
    'BEGIN { exit !(relation == "<=" ? value <= limit : value >= limit) }' || { verdict=MISSED; failures=1; }
  printf '%-44s %9.2f %s %8.2f %-4s %s\n' "$1" "$2" "$3" "$4" "$5" "$verdict"
}
calculate() { awk "BEGIN { print $1 }"; }
bar "get: CPU, limit 3 x cli_mt + 5 ms" "$cpu_ours" '<=' "$(calculate "3 * $cpu_c + 5")" ms
bar "get: zkCli.sh's CPU over zkcli's" "$(calculate "$cpu_java / $cpu_ours")" '>=' 30 x
bar "get: peak RSS" "$(calculate "$rss_ours / 1024")" '<=' 16 MiB
bar "ls -R of 10,000 znodes: best wall time" "$best_tree" '<=' 500 ms
bar "refused port: best wall time" "$best_closed" '<=' 300 ms
exit "$failures"
