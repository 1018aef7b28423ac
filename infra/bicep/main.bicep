targetScope = 'subscription'

metadata name = 'vmreach'
metadata description = 'Finds out why an Azure VM cannot be reached: the app, its roles, and what watches this subscription and calls it.'

import { connectionTest } from 'watch.bicep'

// Where and under which name.

@minLength(3)
@maxLength(20)
@description('Name that all resources are named after: lower-case letters, digits and dashes, a letter first.')
param name string = 'vmreach'

@description('Azure region of the resources. It must offer Flex Consumption.')
param location string = deployment().location

@minLength(1)
@maxLength(90)
@description('Name of the resource group that is made.')
param resourceGroupName string = 'rg-${name}'

@description('Tags of all resources.')
param tags object = {}

@description('Name of the azd environment, by which azd finds the resource group; empty without azd.')
param environmentName string = ''

// Settings: docs/settings.md says more of each.

@minLength(1)
@description('VMREACH_SCOPES: what vmreach may look at and touch. Subscription ids, ids of resource groups, /providers/Microsoft.Management/managementGroups/{name}.')
param scopes string[]

@allowed(['off', 'dry-run', 'approve', 'auto'])
@description('VMREACH_REMEDIATION_MODE: what may be done about a failed NIC. off nothing; dry-run say what would be done; approve do it when the request carries approvedBy; auto do it.')
param remediationMode string = 'dry-run'

@minLength(11)
@description('VMREACH_SWEEP_SCHEDULE: when to sweep for failed NICs. NCRONTAB with six fields, UTC.')
param sweepSchedule string = '0 */15 * * * *'

@minLength(11)
@description('VMREACH_AUDIT_SCHEDULE: when to audit everything in scope. NCRONTAB with six fields, UTC.')
param auditSchedule string = '0 0 5 * * *'

@allowed(['critical', 'high', 'medium', 'low', 'info', 'off'])
@description('VMREACH_AUDIT_SEVERITY: findings of an audit at least as bad as this are told; off tells nothing.')
param auditSeverity string = 'medium'

@description('VMREACH_AUDIT_POLICY: what you decided about checks, as TOML, or @ and the path of a file with it that is deployed with the app; empty for none.')
param auditPolicy string = ''

@minLength(3)
@maxLength(63)
@description('VMREACH_REPORTS_CONTAINER: the blob container that reports of audits go to; off for none.')
param reportsContainer string = 'reports'

@minLength(3)
@maxLength(63)
@description('VMREACH_FINDINGS_QUEUE: the queue that findings go to.')
param findingsQueue string = 'findings'

@secure()
@description('VMREACH_TEAMS_WEBHOOK_URL: a Teams Workflows webhook. It goes to Key Vault, and the setting refers to it there; empty for none.')
param teamsWebhookUrl string = ''

@minLength(3)
@description('VMREACH_INTERNET_TARGET: host:port to probe when a VM\'s way to the internet is in question and the alert names no destination.')
param internetTarget string = 'www.microsoft.com:443'

@allowed(['on', 'off'])
@description('VMREACH_RUN_COMMAND: on lets vmreach run scripts that only look in the guests of both ends, through Run Command, as root or System.')
param runCommand string = 'off'

@minValue(1)
@maxValue(100)
@description('VMREACH_CHECKS_PER_REGION: how many questions Network Watcher is asked at a time in one region of a subscription.')
param checksPerRegion int = 4

@minValue(0)
@maxValue(1440)
@description('VMREACH_RECHECK_MINUTES: how long after a diagnosis of a connection that fails it is made again; 0 for never.')
param recheckMinutes int = 15

@minValue(1)
@maxValue(2160)
@description('VMREACH_HISTORY_HOURS: how long before an alert to look in the activity log for who changed what.')
param historyHours int = 12

@allowed(['public', 'usgovernment', 'china'])
@description('VMREACH_CLOUD: the Azure cloud that is deployed to.')
param cloud string = 'public'

@description('VMREACH_ARM_ENDPOINT: where Azure Resource Manager answers; empty for where the cloud\'s does.')
param armEndpoint string = ''

@minValue(1)
@maxValue(3600)
@description('VMREACH_POLL_SECONDS: between two looks at a running operation of Azure, where Azure does not say how long to wait.')
param pollSeconds int = 5

@minValue(1)
@maxValue(720)
@description('VMREACH_WAIT_SECONDS: how long to wait for an operation of Azure to end.')
param waitSeconds int = 420

// Roles in this subscription. management-group.bicep gives them in a management group.

@description('Whether to make and assign the role that reads, and asks Network Watcher. Without it, here or elsewhere, vmreach sees nothing.')
param assignDiagnoseRole bool = false

@description('Whether to make and assign the role that writes network interfaces. Null: where remediationMode is approve or auto.')
param assignRemediateRole bool?

@description('Whether to make and assign the role that runs scripts in guests. Null: where runCommand is on.')
param assignGuestRole bool?

// The app.

@allowed([512, 2048, 4096])
@description('Memory of an instance, in MB.')
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
@description('How many instances there may be at a time.')
param maximumInstanceCount int = 40

@minValue(1)
@maxValue(3650)
@description('How many days a report is kept.')
param reportRetentionDays int = 90

@minValue(30)
@maxValue(730)
@description('How many days logs are kept.')
param logRetentionDays int = 30

@minValue(-1)
@description('Above how many GB a day the workspace takes no more logs; -1 for no limit.')
param dailyLogCapGB int = 1

@description('Whether to make the workbook.')
param enableWorkbook bool = true

// The network.

@description('Whether the functions reach storage and vault through a virtual network of their own, and both refuse all else.')
param privateNetwork bool = false

@description('Address space of that network, /24 or larger: half of it for the functions, half for private endpoints.')
param addressSpace string = '10.90.0.0/24'

@description('Public addresses (CIDR) that reach storage and vault while privateNetwork is on: where you deploy from.')
param deployerAddresses string[] = []

@description('Addresses (CIDR) that may call the alert endpoint, beside action groups.')
param alertAddresses string[] = []

// Entra ID in front of the alert endpoint (secure webhook): all three or none.

@description('Client id of the Entra application that stands for the alert endpoint; empty for the function key alone.')
param entraClientId string = ''

@description('Object id of that application.')
param entraObjectId string = ''

@description('Identifier URI of that application, such as api://{client id}.')
param entraIdentifierUri string = ''

// What watches this subscription.

@description('Whether to make alert rules and events in this subscription.')
param watch bool = true

@description('Whether Event Grid tells of failed network interfaces. Azure allows one system topic a subscription: false where there is one; the alert rule and the sweep find them too.')
param events bool = true

@description('Azure regions whose VMs are watched for availability.')
param watchedRegions string[] = [location]

@description('When alerts call nobody: once, {start: \'2026-12-05T22:00:00\', end: \'2026-12-06T04:00:00\'}, or every week, {days: [\'Saturday\'], startTime: \'22:00:00\', endTime: \'04:00:00\'}; each with a timeZone, UTC unless given. Null for never.')
param maintenance object?

@maxLength(20)
@description('Connections that are tested every minute, from VMs of connectionTestRegion; none for no connection monitor.')
param connectionTests connectionTest[] = []

@description('Azure region of the connection monitor and of the VMs that test.')
param connectionTestRegion string = location

@description('Name of the Network Watcher of that region.')
param networkWatcherName string = 'NetworkWatcher_${connectionTestRegion}'

@description('Resource group of that Network Watcher.')
param networkWatcherResourceGroup string = 'NetworkWatcherRG'

@description('E-mail addresses of those who are told of changes, and of what is wrong with vmreach itself; none for nobody.')
param operatorEmails string[] = []

var required = {
  VMREACH_SCOPES: join(scopes, ',')
  VMREACH_REMEDIATION_MODE: remediationMode
  VMREACH_SWEEP_SCHEDULE: sweepSchedule
  VMREACH_AUDIT_SCHEDULE: auditSchedule
  VMREACH_AUDIT_SEVERITY: auditSeverity
  VMREACH_REPORTS_CONTAINER: reportsContainer
  VMREACH_FINDINGS_QUEUE: findingsQueue
  VMREACH_INTERNET_TARGET: internetTarget
  VMREACH_RUN_COMMAND: runCommand
  VMREACH_CHECKS_PER_REGION: string(checksPerRegion)
  VMREACH_RECHECK_MINUTES: string(recheckMinutes)
  VMREACH_HISTORY_HOURS: string(historyHours)
  VMREACH_CLOUD: cloud
  VMREACH_POLL_SECONDS: string(pollSeconds)
  VMREACH_WAIT_SECONDS: string(waitSeconds)
}
var policySetting = empty(auditPolicy) ? {} : { VMREACH_AUDIT_POLICY: auditPolicy }
var endpointSetting = empty(armEndpoint) ? {} : { VMREACH_ARM_ENDPOINT: armEndpoint }

var entra = filter([entraClientId, entraObjectId, entraIdentifierUri], value => !empty(value))
var secureWebhook = contains([0, 3], length(entra)) ? !empty(entra) : fail('entraClientId, entraObjectId and entraIdentifierUri: give all three or none.')

var remediates = assignRemediateRole ?? contains(['approve', 'auto'], remediationMode)
var looksIntoGuests = assignGuestRole ?? (runCommand == 'on')

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: resourceGroupName
  location: location
  tags: union(tags, empty(environmentName) ? {} : { 'azd-env-name': environmentName })
}

module app 'app.bicep' = {
  name: '${name}-app'
  scope: group
  params: {
    name: name
    location: location
    tags: tags
    settings: union(required, policySetting, endpointSetting)
    reportsContainer: reportsContainer
    findingsQueue: findingsQueue
    teamsWebhookUrl: teamsWebhookUrl
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    privateNetwork: privateNetwork
    addressSpace: addressSpace
    deployerAddresses: deployerAddresses
    alertAddresses: alertAddresses
    entraClientId: secureWebhook ? entraClientId : ''
    entraObjectId: secureWebhook ? entraObjectId : ''
    entraIdentifierUri: secureWebhook ? entraIdentifierUri : ''
    operatorEmails: operatorEmails
    reportRetentionDays: reportRetentionDays
    logRetentionDays: logRetentionDays
    dailyLogCapGB: dailyLogCapGB
    enableWorkbook: enableWorkbook
  }
}

module roles 'modules/roles.bicep' = if (assignDiagnoseRole || remediates || looksIntoGuests) {
  name: '${name}-roles'
  params: {
    name: name
    principalId: app.outputs.identityPrincipalId
    assignDiagnoseRole: assignDiagnoseRole
    assignRemediateRole: remediates
    assignGuestRole: looksIntoGuests
  }
}

module watching 'watch.bicep' = if (watch) {
  name: '${name}-watch'
  params: {
    name: name
    location: location
    resourceGroupName: group.name
    createResourceGroup: false
    tags: tags
    actionGroupId: app.outputs.actionGroupId
    operatorsActionGroupId: app.outputs.operatorsActionGroupId
    identityId: app.outputs.identityId
    storageAccountId: app.outputs.storageAccountId
    workspaceId: app.outputs.workspaceId
    events: events
    watchedRegions: watchedRegions
    maintenance: maintenance
    connectionTests: connectionTests
    connectionTestRegion: connectionTestRegion
    networkWatcherName: networkWatcherName
    networkWatcherResourceGroup: networkWatcherResourceGroup
  }
}

@description('Name of the resource group.')
output resourceGroupName string = group.name

@description('Name of the function app: what code is deployed to.')
output functionAppName string = app.outputs.functionAppName

@description('Where alerts are posted to, without the key.')
output alertEndpoint string = app.outputs.alertEndpoint

@description('Name of the storage account with the queues, the tables and the reports.')
output storageAccountName string = app.outputs.storageAccountName

@description('Resource id of the storage account: watch.bicep wants it for a further subscription.')
output storageAccountId string = app.outputs.storageAccountId

@description('Resource id of the identity: watch.bicep wants it for a further subscription.')
output identityId string = app.outputs.identityId

@description('Object id of the identity, as role assignments name it.')
output identityPrincipalId string = app.outputs.identityPrincipalId

@description('Client id of the identity, as tokens name it.')
output identityClientId string = app.outputs.identityClientId

@description('Resource id of the action group that calls vmreach: give it to alert rules of your own.')
output actionGroupId string = app.outputs.actionGroupId

@description('Resource id of the action group of the operators; empty where there is none.')
output operatorsActionGroupId string = app.outputs.operatorsActionGroupId

@description('Resource id of the Log Analytics workspace.')
output workspaceId string = app.outputs.workspaceId
