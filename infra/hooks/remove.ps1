# Before azd deletes: stops where it would delete what is not vmreach's. azd deletes every resource group that the
# deployment has something in, and a connection monitor is in the group of the Network Watchers. remove.sh does the same.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3.0

$tests = "$env:VMREACH_CONNECTION_TESTS" -replace '\s', ''
if ($tests -and $tests -ne '[]') {
    [Console]::Error.WriteLine(@'
VMREACH_CONNECTION_TESTS: is not empty, so azd would delete the resource group of the Network Watchers, with all flow logs and connection monitors of the subscription
Nothing was deleted. Take the tests out first: azd env set VMREACH_CONNECTION_TESTS '[]', azd provision, azd down
'@)
    exit 1
}
