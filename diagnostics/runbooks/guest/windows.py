"""The Windows scripts. They parse in PowerShell 2 too: where the cmdlets are missing, `route print` answers.

Names of values and enumerations are English on every Windows; texts for people are not, and are not looked at.
Source: references of the modules NetTCPIP and NetSecurity.
"""

from __future__ import annotations

_HEAD = """
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
"""

ROUTES = (
    _HEAD
    + r"""
if (Get-Command Get-NetRoute -ErrorAction SilentlyContinue) {
  '#windows'
  $most = 25
  $interfaces = @(Get-NetIPInterface | Where-Object { $_.ifIndex -ne 1 } | Sort-Object ifIndex |
    Select-Object 'ifIndex', 'InterfaceAlias', @{n = 'Up'; e = { "$($_.ConnectionState)" -eq 'Connected' } } -Unique)
  $addresses = @(Get-NetIPAddress | Where-Object { $_.ifIndex -ne 1 -and $_.IPAddress -notlike 'fe80:*' } |
    Select-Object 'ifIndex', 'IPAddress', 'PrefixLength')
  $all = @(Get-NetRoute | Select-Object 'ifIndex', 'DestinationPrefix', 'NextHop', 'RouteMetric')
  $default = @($all | Where-Object { '0.0.0.0/0', '::/0' -contains $_.DestinationPrefix })
  $others = @($all | Where-Object {
    -not ('0.0.0.0/0', '::/0' -contains $_.DestinationPrefix) -and -not ('0.0.0.0', '::' -contains $_.NextHop) })
  New-Object PSObject -Property @{
    interfaces = $interfaces
    addresses = $addresses
    routes = @($default + @($others | Select-Object -First $most))
    cut = [Math]::Max(0, $others.Count - $most)
  } | ConvertTo-Json -Compress -Depth 3
} else {
  '#routeprint'
  route.exe print -4
}
"""
)

TCP = (
    _HEAD
    + r"""
'#attempts'
$culture = [Globalization.CultureInfo]::InvariantCulture
$at = $null
try { $at = @([Net.Dns]::GetHostAddresses($target))[0] } catch { '1 name' }
if ($at) {
  if ($named) { "at $at" }
  foreach ($n in 1..$count) {
    $client = New-Object Net.Sockets.TcpClient($at.AddressFamily)
    $watch = [Diagnostics.Stopwatch]::StartNew()
    try {
      $begun = $client.BeginConnect($at, $port, $null, $null)
      if ($begun.AsyncWaitHandle.WaitOne(1000 * $timeout)) {
        $client.EndConnect($begun)
        "$n open " + (1000 * $watch.Elapsed.TotalMilliseconds).ToString('0', $culture)
      } else { "$n timeout" }
    } catch {
      $code = "$($_.Exception.GetBaseException().SocketErrorCode)"
      switch ($code) {
        'ConnectionRefused' { "$n refused" }
        'TimedOut' { "$n timeout" }
        'HostUnreachable' { "$n unreachable" }
        'NetworkUnreachable' { "$n unreachable" }
        'AccessDenied' { "$n forbidden" }
        default { "$n other $code" }
      }
    }
    $client.Close()
    Start-Sleep -Milliseconds 200
  }
}
"""
)

# Each kind of filter is fetched once and joined by the rule's id: one question a rule takes minutes.
DESTINATION = (
    _HEAD
    + r"""
if (Get-Command Get-NetTCPConnection -ErrorAction SilentlyContinue) {
  '#windows'
  $most = 12
  function Hits($ports) {
    foreach ($text in @($ports)) {
      if ("$text" -eq 'Any' -or "$text" -eq $port) { return $true }
      if ("$text" -match '^(\d+)-(\d+)$' -and [int]$Matches[1] -le $port -and $port -le [int]$Matches[2]) {
        return $true
      }
    }
    return $false
  }
  function ById($filters) {
    $found = @{}
    foreach ($f in @($filters)) { if ($f) { $found[$f.InstanceID] = $f } }
    return $found
  }
  $listen = @(Get-NetTCPConnection -State Listen | Where-Object { $_.LocalPort -eq $port })
  $programs = @($listen | ForEach-Object {
    if ($_.OwningProcess -eq 4) { 'System' }
    else { (Get-Process -Id $_.OwningProcess -ErrorAction SilentlyContinue).Path }
  } | Where-Object { $_ } | Select-Object -Unique)
  $state = "$((Get-Service MpsSvc -ErrorAction SilentlyContinue).Status)"
  $profiles = @(Get-NetFirewallProfile -PolicyStore ActiveStore | ForEach-Object { New-Object PSObject -Property @{
    name = "$($_.Name)"; enabled = "$($_.Enabled)" -eq 'True'
    inbound = "$($_.DefaultInboundAction)"; rules = "$($_.AllowInboundRules)" } })
  $active = @(Get-NetConnectionProfile -ErrorAction SilentlyContinue |
    ForEach-Object { "$($_.NetworkCategory)" } | Select-Object -Unique)
  $portOf = ById (Get-NetFirewallPortFilter -PolicyStore ActiveStore |
    Where-Object { 'TCP', '6', 'Any' -contains "$($_.Protocol)" -and (Hits $_.LocalPort) })
  $programOf = ById (Get-NetFirewallApplicationFilter -PolicyStore ActiveStore)
  $addressOf = ById (Get-NetFirewallAddressFilter -PolicyStore ActiveStore)
  $rules = @(Get-NetFirewallRule -PolicyStore ActiveStore | Where-Object {
    "$($_.Direction)" -eq 'Inbound' -and "$($_.Enabled)" -eq 'True' -and $portOf.ContainsKey($_.InstanceID)
  } | ForEach-Object {
    $id = $_.InstanceID
    $program = [Environment]::ExpandEnvironmentVariables("$($programOf[$id].Program)")
    $own = -not $program -or $program -eq 'Any' -or $programs -contains $program
    $any = @($portOf[$id].LocalPort) -contains 'Any'
    # A rule for any port that is another program's, or a store app's, says nothing about this port.
    if ($own -and -not ($any -and $programOf[$id].Package) -or -not $any) {
      New-Object PSObject -Property @{
        name = "$($_.DisplayName)"; action = "$($_.Action)"; profile = "$($_.Profile)"; own = $own
        remote = @($addressOf[$id].RemoteAddress | Select-Object -First 8 | ForEach-Object { "$_" })
        more = @($addressOf[$id].RemoteAddress).Count -gt 8 }
    }
  } | Sort-Object @{e = { $_.action -ne 'Block' } })
  New-Object PSObject -Property @{
    listening = @($listen | ForEach-Object { "$($_.LocalAddress)" } | Select-Object -Unique)
    programs = $programs; state = $state; profiles = $profiles; active = $active
    rules = @($rules | Select-Object -First $most); cut = [Math]::Max(0, $rules.Count - $most)
  } | ConvertTo-Json -Compress -Depth 4
} else {
  '#netstat'
  $told = @(netstat.exe -ano)
  if ($LASTEXITCODE -ne 0) { '!netstat failed' }
  $told | Select-String -SimpleMatch ":$port " | ForEach-Object { $_.Line }
}
"""
)
