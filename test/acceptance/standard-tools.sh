#!/bin/sh
# Checks the newest set of a node and restores its databases with sha256sum, openssl, age, zstd and pg_restore alone, by
# what docs/formats/vault-v1.md says. Usage: standard-tools.sh VAULT PUBLIC_KEY IDENTITY NODE SERVER_URL
# Each component's dump goes into a database `<component>` of the server, which must exist and be empty.
set -eu
vault=$1 public_key=$2 identity=$3 node=$4 server=$5
cd "$vault"

digest_of() { sha256sum "$1" | cut -d' ' -f1; }
# Documents are canonical JSON: members sorted, no white space, so that a text search is enough.
value_of() { grep -o "\"$2\":\"[^\"]*\"" "$1" | head -n 1 | cut -d'"' -f4; }

grep -q '"format":"ledgerhold/vault/1"' format.json

previous=null
for manifest in "sets/$node/manifests/"*.json; do
  digest=$(digest_of "$manifest")
  openssl dgst -sha256 -verify "$public_key" -signature "${manifest%.json}-$digest.sig" "$manifest"
  grep -q "\"previous\":\"\{0,1\}$previous\"\{0,1\}," "$manifest"
  previous=$digest
done
head=$manifest

run=$(dirname "$(dirname "$(grep -o '"key":"[^"]*\.start\.json"' "$head" | head -n 1 | cut -d'"' -f4)")")
for end in "$run/receipts/"*.end.json; do
  component=$(basename "$end" .end.json)
  start="$run/receipts/$component.start.json"
  grep -q "\"sha256\":\"$(digest_of "$end")\"" "$head"
  grep -q "\"sha256\":\"$(digest_of "$start")\"" "$head"
  grep -q "\"start\":\"$(digest_of "$start")\"" "$end"
done
# The proof of the order: the participant's start cites the finished receipt of the app.
grep -q "{\"component\":\"validator-app\",\"end\":\"$(digest_of "$run/receipts/validator-app.end.json")\"}" \
  "$run/receipts/participant.start.json"

for end in "$run/receipts/"*.end.json; do
  component=$(basename "$end" .end.json)
  artifact=$(value_of "$end" key)
  grep -q "\"sha256\":\"$(digest_of "$artifact")\"" "$end"
  case $(value_of "$end" content) in
    pg_dump-custom)
      age -d -i "$identity" "$artifact" | zstd -dq |
        pg_restore --no-owner --no-privileges --exit-on-error -d "$server/$component"
      ;;
    *) age -d -i "$identity" "$artifact" | zstd -dq | grep -q '"id":"PAR::' ;;
  esac
  echo "restored $component"
done
