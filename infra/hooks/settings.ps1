# Before azd makes anything: asks for what only you know, once, and stops where a value cannot be right.
# settings.sh does the same on Linux and macOS. Neither ever prints the webhook's URL: it is a secret.
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version 3.0

$Guid = '[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}'
$Name = "[^]/?#%&\\'[]+"
$SubscriptionForm = "^(/subscriptions/)?$Guid/?$"
$BelowForm = "^/subscriptions/$Guid/resourceGroups/$Name(/providers(/$Name){3,})?/?$"
$ManagementGroupForm = "^/providers/Microsoft[.]Management/managementGroups/$Name/?$"
$WebhookForm = "^https://[^]/?#@:'[]+(:[0-9]+)?([/?#][^']*)?$"
$RetiredForm = '(^|[.])(webhook[.]office|outlook[.]office|outlook[.]office365)[.]com$'

# Ids with commas, spaces or line ends between, or as JSON.
function Get-Entries([string] $Text) { @($Text -split '[\[\]",;\s]+' | Where-Object { $_ }) }

function Get-Json([string] $Text) { '[' + (@(Get-Entries $Text | ForEach-Object { "`"$_`"" }) -join ',') + ']' }

function Test-Scopes([string] $Text) {
    if (-not @(Get-Entries $Text).Count) {
        "VMREACH_SCOPES: is empty, and names what vmreach may look at"
    }
    foreach ($entry in Get-Entries $Text) {
        if ($entry -notmatch $SubscriptionForm -and $entry -notmatch $BelowForm -and $entry -notmatch $ManagementGroupForm) {
            "VMREACH_SCOPES: '$entry' is not a subscription id, the id of a resource group or resource, or /providers/Microsoft.Management/managementGroups/NAME"
        }
    }
}

function Test-Mode([string] $Text) {
    if (@('off', 'dry-run', 'approve', 'auto') -cnotcontains $Text) {
        "VMREACH_REMEDIATION_MODE: '$Text' is none of off, dry-run, approve, auto"
    }
}

function Test-Webhook([string] $Text) {
    if ($Text -match "[\s\p{Cc}']") { return "VMREACH_TEAMS_WEBHOOK_URL: has a space, quote or line end in it" }
    if (-not $Text -or $Text.StartsWith('akvs://')) { return } # none, or kept in a vault: azd env set-secret
    if ($Text -notmatch $WebhookForm) { return "VMREACH_TEAMS_WEBHOOK_URL: is not an https address" }
    $address = $Text -replace '^[^:]*://([^]/?#:[]*).*$', '$1'
    if ($address.TrimEnd('.') -match $RetiredForm) {
        "VMREACH_TEAMS_WEBHOOK_URL: $address is an Office 365 connector, which Microsoft has retired; make a webhook with Workflows in the channel and use its URL"
    }
}

# Asks until the answer can be right.
function Read-Answer([scriptblock] $Check, [string] $Default, [string] $Question, [switch] $Hidden) {
    while ($true) {
        $prompt = if ($Default) { "$Question [$Default]" } else { $Question }
        $answer = if ($Hidden) {
            [Net.NetworkCredential]::new('', (Read-Host -Prompt $prompt -AsSecureString)).Password
        } else {
            Read-Host -Prompt $prompt
        }
        if (-not $answer) { $answer = $Default }
        $wrong = @(& $Check $answer)
        if (-not $wrong.Count) { return $answer }
        $wrong | ForEach-Object { [Console]::Error.WriteLine($_) }
    }
}

# Kept through a file: the list of processes shows no secret, and no shell takes the quotes out of JSON.
function Save-Values([string] $Lines) {
    $file = [IO.Path]::GetTempFileName()
    try {
        [IO.File]::WriteAllText($file, $Lines)
        azd env set --file $file
        if ($LASTEXITCODE) { exit $LASTEXITCODE }
    } finally {
        Remove-Item -LiteralPath $file
    }
}

$scopes = "$env:VMREACH_SCOPES"
$mode = if ($env:VMREACH_REMEDIATION_MODE) { $env:VMREACH_REMEDIATION_MODE } else { 'dry-run' }
$webhook = "$env:VMREACH_TEAMS_WEBHOOK_URL"

if (-not $scopes -and -not [Console]::IsInputRedirected -and -not $env:CI) {
    $scopes = Get-Json (Read-Answer { Test-Scopes $args[0] } "$env:AZURE_SUBSCRIPTION_ID" "What may vmreach look at? Ids of subscriptions, resource groups or management groups, with commas between")
    $mode = Read-Answer { Test-Mode $args[0] } $mode "What may it do about a failed network interface: off, dry-run, approve or auto?"
    $answer = Read-Answer { Test-Webhook $args[0] } '' "The URL of a Teams Workflows webhook, not shown as you type; Enter for none" -Hidden
    if ($answer) { $webhook = $answer }
    Save-Values "VMREACH_SCOPES='$scopes'`nVMREACH_REMEDIATION_MODE='$mode'`nVMREACH_TEAMS_WEBHOOK_URL='$webhook'`n"
}

$wrong = @(Test-Scopes $scopes) + @(Test-Mode $mode) + @(Test-Webhook $webhook)
if ($wrong.Count) {
    $wrong + "Nothing was made. Mend it with: azd env set NAME VALUE" | ForEach-Object { [Console]::Error.WriteLine($_) }
    exit 1
}

# azd takes an array as JSON only.
$json = Get-Json $scopes
if ($scopes -cne $json) {
    Save-Values "VMREACH_SCOPES='$json'`n"
}
