#!/bin/sh
# Builds versitygw, the real S3 server of the longer suites, into the machine's cache, unless it is there. Needs Go;
# without it the suites are skipped by name.
set -eu
version=v1.8.0
bin="${LEDGERHOLD_CACHE:-$HOME/.cache/ledgerhold}/bin"
command -v go >/dev/null || { echo "versitygw $version is not built: there is no Go here" >&2; exit 0; }
go version -m "$bin/versitygw" 2>/dev/null | grep -q "versitygw.*$version" && exit 0
mkdir -p "$bin"
GOBIN="$bin" go install "github.com/versity/versitygw/cmd/versitygw@$version"
