#!/bin/sh
# Builds two geths, the real clients of the longer suites, into the machine's cache, unless they are there: one of
# today, whose `--dev` makes chains with proof of stake's fields, and the last that still seals Clique. Needs Go;
# without it the suites are skipped by name.
set -eu
bin="${LEDGERHOLD_CACHE:-$HOME/.cache/ledgerhold}/bin"
command -v go >/dev/null || { echo "geth is not built: there is no Go here" >&2; exit 0; }
mkdir -p "$bin"

# install VERSION: builds beside its place and moves the whole file there, so that nobody runs half of one.
install() {
  go version -m "$bin/geth-$1" 2>/dev/null | grep -q "go-ethereum.*v$1" && return 0
  there="$bin/.geth-$1.$$"
  # 1.13.15 links to a name inside the runtime that newer Go hides unless told not to look.
  GOBIN="$there" go install -ldflags=-checklinkname=0 "github.com/ethereum/go-ethereum/cmd/geth@v$1"
  mv "$there/geth" "$bin/geth-$1"
  rmdir "$there"
}
install 1.17.8
install 1.13.15
