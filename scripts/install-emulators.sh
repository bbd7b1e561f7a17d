#!/bin/sh
# Installs MiniStack and Moto, the emulators of AWS of the longer suites, and the command line of AWS, which runbooks are
# followed with, each into an environment of its own in the machine's cache, unless it is there. Needs Python 3; without
# it the suites are skipped by name.
set -eu
cache="${LEDGERHOLD_CACHE:-$HOME/.cache/ledgerhold}"
command -v python3 >/dev/null || { echo "MiniStack and Moto are not installed: there is no Python here" >&2; exit 0; }

# install NAME REQUIREMENT…: whole or not at all, so that an installation that was cut off is never taken for one.
install() {
  home="$cache/$1"
  wanted=$(shift && printf '%s ' "$@")
  [ "$(cat "$home/installed" 2>/dev/null)" = "$wanted" ] && return
  shift
  rm -rf "$home"
  python3 -m venv "$home"
  "$home/bin/pip" install --quiet --disable-pip-version-check --no-input "$@"
  printf '%s' "$wanted" > "$home/installed"
}

mkdir -p "$cache"
# It takes its certificates for TLS from the cryptography package.
install ministack ministack==1.5.33 cryptography==48.0.0
install moto 'moto[all,server]==5.2.5'
install aws-cli awscli==1.46.3
