# What standalone.sh, ensemble.sh and instructions.sh begin with: the load generator, built in a temporary directory.
#
# Sets: repository, work (removed at the end), load (the kit's directory, with zkload and limits built).

# usage SCRIPT: prints the comment at the top of a script, and ends it.
usage() {
  sed -n '2,/^set/p' "$1" | sed '$d; s/^# \{0,1\}//'
  exit 2
}

# find_binary PATH: prints the absolute path of the binary to be measured.
find_binary() {
  local binary
  binary=$(realpath "${1:-$repository/.build/release/zkcli}")
  [[ -x $binary ]] || { echo "$binary does not exist: build it first" >&2; exit 2; }
  echo "$binary"
}

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
load=$work/kit
cp -r "$repository/Tests/Benchmarks/zkload" "$load"
make --silent --directory "$load"
