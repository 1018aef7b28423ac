#!/bin/sh
# Before azd deletes: stops where it would delete what is not vmreach's. azd deletes every resource group that the
# deployment has something in, and a connection monitor is in the group of the Network Watchers. remove.ps1 does the same.
set -eu

tests=$(printf '%s' "${VMREACH_CONNECTION_TESTS:-[]}" | tr -d ' \t\r\n')
if [ "$tests" != '[]' ]; then
  cat >&2 <<'END'
VMREACH_CONNECTION_TESTS: is not empty, so azd would delete the resource group of the Network Watchers, with all flow logs and connection monitors of the subscription
Nothing was deleted. Take the tests out first: azd env set VMREACH_CONNECTION_TESTS '[]', azd provision, azd down
END
  exit 1
fi
