#!/bin/sh
# Before azd makes anything: asks for what only you know, once, and stops where a value cannot be right.
# settings.ps1 does the same on Windows. Neither ever prints the webhook's URL: it is a secret.
set -euf

GUID='[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
NAME="[^]/?#%&\\\\'[]+"
SUBSCRIPTION="^(/subscriptions/)?$GUID/?\$"
BELOW="^/subscriptions/$GUID/resourceGroups/$NAME(/providers(/$NAME){3,})?/?\$"
MANAGEMENT_GROUP="^/providers/Microsoft[.]Management/managementGroups/$NAME/?\$"
WEBHOOK="^https://[^]/?#@:'[]+(:[0-9]+)?([/?#][^']*)?\$"
RETIRED='(^|[.])(webhook[.]office|outlook[.]office|outlook[.]office365)[.]com$'

matches() { printf '%s\n' "$1" | grep -Eiq -- "$2"; }

# Ids with commas, spaces or line ends between, or as JSON.
entries() { printf '%s' "$1" | tr '[]",;\t\r\n' '        '; }

as_json() {
  list=
  for entry in $(entries "$1"); do list="$list${list:+,}\"$entry\""; done
  printf '[%s]' "$list"
}

check_scopes() {
  if [ -z "$(entries "$1" | tr -d ' ')" ]; then
    echo "VMREACH_SCOPES: is empty, and names what vmreach may look at"
  fi
  for entry in $(entries "$1"); do
    if ! matches "$entry" "$SUBSCRIPTION" && ! matches "$entry" "$BELOW" && ! matches "$entry" "$MANAGEMENT_GROUP"; then
      echo "VMREACH_SCOPES: '$entry' is not a subscription id, the id of a resource group or resource, or /providers/Microsoft.Management/managementGroups/NAME"
    fi
  done
}

check_mode() {
  case $1 in
    off | dry-run | approve | auto) ;;
    *) echo "VMREACH_REMEDIATION_MODE: '$1' is none of off, dry-run, approve, auto" ;;
  esac
}

check_webhook() {
  case $1 in
    *[[:space:][:cntrl:]\']*) echo "VMREACH_TEAMS_WEBHOOK_URL: has a space, quote or line end in it" && return ;;
    '' | akvs://*) return ;; # none, or kept in a vault: azd env set-secret
  esac
  if ! matches "$1" "$WEBHOOK"; then
    echo "VMREACH_TEAMS_WEBHOOK_URL: is not an https address" && return
  fi
  host=$(printf '%s\n' "$1" | sed -E 's|^[^:]*://([^]/?#:[]*).*$|\1|')
  if matches "${host%.}" "$RETIRED"; then
    echo "VMREACH_TEAMS_WEBHOOK_URL: $host is an Office 365 connector, which Microsoft has retired; make a webhook with Workflows in the channel and use its URL"
  fi
}

# ask CHECK DEFAULT QUESTION: asks until the answer can be right, and leaves it in $answer.
ask() {
  while :; do
    printf '%s%s: ' "$3" "${2:+ [$2]}" >&2
    IFS= read -r answer || exit 1
    answer=${answer:-$2}
    wrong=$("$1" "$answer")
    [ -n "$wrong" ] || break
    printf '%s\n' "$wrong" >&2
  done
}

# Kept through a file that only you can read: the list of processes shows no secret.
keep() {
  file=$(umask 077 && mktemp)
  trap 'rm -f "$file"' EXIT
  cat >"$file"
  azd env set --file "$file"
}

scopes=${VMREACH_SCOPES:-} mode=${VMREACH_REMEDIATION_MODE:-dry-run} webhook=${VMREACH_TEAMS_WEBHOOK_URL:-}

if [ -z "$scopes" ] && [ -t 0 ] && [ -z "${CI:-}" ]; then
  ask check_scopes "${AZURE_SUBSCRIPTION_ID:-}" "What may vmreach look at? Ids of subscriptions, resource groups or management groups, with commas between"
  scopes=$(as_json "$answer")
  ask check_mode "$mode" "What may it do about a failed network interface: off, dry-run, approve or auto?"
  mode=$answer
  trap 'stty echo' EXIT
  trap 'exit 130' INT TERM
  stty -echo
  ask check_webhook "" "The URL of a Teams Workflows webhook, not shown as you type; Enter for none"
  stty echo
  webhook=${answer:-$webhook}
  echo >&2
  keep <<END
VMREACH_SCOPES='$scopes'
VMREACH_REMEDIATION_MODE='$mode'
VMREACH_TEAMS_WEBHOOK_URL='$webhook'
END
fi

wrong=$(
  check_scopes "$scopes"
  check_mode "$mode"
  check_webhook "$webhook"
)
if [ -n "$wrong" ]; then
  printf '%s\n' "$wrong" "Nothing was made. Mend it with: azd env set NAME VALUE" >&2
  exit 1
fi

# azd takes an array as JSON only.
json=$(as_json "$scopes")
if [ "$scopes" != "$json" ]; then
  printf "VMREACH_SCOPES='%s'\n" "$json" | keep
fi
