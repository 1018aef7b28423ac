metadata name = 'App'
metadata description = 'vmreach itself: everything in its own resource group.'

@minLength(3)
@maxLength(20)
@description('Name that the resources are named after: lower-case letters, digits and dashes.')
param name string = 'vmreach'

@description('Azure region of the resources.')
param location string = resourceGroup().location

@description('Tags of the resources.')
param tags object = {}

@description('Settings of vmreach itself but the webhook: names and values.')
param settings object

@description('Name of the blob container that reports go to; off for none.')
param reportsContainer string = 'reports'

@description('Name of the queue that findings go to.')
param findingsQueue string = 'findings'

@secure()
@description('The Teams Workflows webhook; empty for none.')
param teamsWebhookUrl string = ''

@allowed([512, 2048, 4096])
@description('Memory of an instance, in MB.')
param instanceMemoryMB int = 2048

@minValue(40)
@maxValue(1000)
@description('How many instances there may be at a time.')
param maximumInstanceCount int = 40

@description('Whether storage and vault are reached through a virtual network only.')
param privateNetwork bool = false

@description('Address space of the virtual network: half of it for the functions, half for private endpoints.')
param addressSpace string = '10.90.0.0/24'

@description('Public addresses (CIDR) that reach storage and vault while privateNetwork is on.')
param deployerAddresses string[] = []

@description('Addresses (CIDR) that may call the alert endpoint, beside action groups.')
param alertAddresses string[] = []

@description('Client id of the Entra application that callers of the alert endpoint must have a token for; empty for the function key alone.')
param entraClientId string = ''

@description('Object id of that application.')
param entraObjectId string = ''

@description('Identifier URI of that application.')
param entraIdentifierUri string = ''

@description('E-mail addresses of the operators; none for no group of operators.')
param operatorEmails string[] = []

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

var suffix = uniqueString(resourceGroup().id, name)
var uniqueName = '${name}-${suffix}'

// At most 24 characters, 13 of which are the suffix.
var plainName = replace(name, '-', '')
var storageName = '${take('st${plainName}', 11)}${suffix}'
var vaultName = '${take('kv-${plainName}', 10)}-${suffix}'

var packageContainer = 'app-package'
var keepsReports = reportsContainer != 'off'
var reports = reportsContainer == packageContainer ? fail('reportsContainer: app-package holds the deployed code.') : reportsContainer

var requestQueues = ['diagnosis-requests', 'closure-requests', 'remediation-requests']
var ownQueues = concat(requestQueues, map(requestQueues, queue => '${queue}-poison'))
var findings = contains(ownQueues, findingsQueue) ? fail('findingsQueue: vmreach itself works from that queue.') : findingsQueue

module identity 'modules/identity.bicep' = {
  name: '${name}-identity'
  params: {
    name: 'id-${name}'
    location: location
    tags: tags
  }
}

module monitoring 'modules/monitoring.bicep' = {
  name: '${name}-monitoring'
  params: {
    name: name
    location: location
    tags: tags
    logRetentionDays: logRetentionDays
    dailyLogCapGB: dailyLogCapGB
    enableWorkbook: enableWorkbook
    principalId: identity.outputs.principalId
  }
}

module storage 'modules/storage.bicep' = {
  name: '${name}-storage'
  params: {
    name: storageName
    location: location
    tags: tags
    containers: concat([packageContainer], keepsReports ? [reports] : [])
    queues: concat(ownQueues, [findings])
    tables: ['vmreachrequests', 'vmreachfindings', 'vmreachalerts', 'vmreachattempts', 'vmreachjournal', 'vmreachleases']
    reportsContainer: keepsReports ? reports : ''
    reportRetentionDays: reportRetentionDays
    privateNetwork: privateNetwork
    allowedAddresses: deployerAddresses
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module vault 'modules/vault.bicep' = {
  name: '${name}-vault'
  params: {
    name: vaultName
    location: location
    tags: tags
    teamsWebhookUrl: teamsWebhookUrl
    privateNetwork: privateNetwork
    allowedAddresses: deployerAddresses
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
  }
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: '${name}-network'
  params: {
    name: name
    location: location
    tags: tags
    addressSpace: addressSpace
    functionsPrefix: cidrSubnet(addressSpace, parseCidr(addressSpace).cidr + 1, 0)
    endpointsPrefix: cidrSubnet(addressSpace, parseCidr(addressSpace).cidr + 1, 1)
    storageAccountId: storage.outputs.id
    vaultId: vault.outputs.id
  }
}

module functionApp 'modules/function-app.bicep' = {
  name: '${name}-function-app'
  params: {
    name: uniqueName
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    blobEndpoint: storage.outputs.blobEndpoint
    queueEndpoint: storage.outputs.queueEndpoint
    tableEndpoint: storage.outputs.tableEndpoint
    packageContainerUri: '${storage.outputs.blobEndpoint}${packageContainer}'
    vaultUri: vault.outputs.uri
    insightsConnectionString: monitoring.outputs.connectionString
    settings: union(settings, empty(teamsWebhookUrl) ? {} : {
      VMREACH_TEAMS_WEBHOOK_URL: '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/teams-webhook-url)'
    })
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alertAddresses: alertAddresses
    subnetId: privateNetwork ? network!.outputs.functionsSubnetId : ''
    entraClientId: entraClientId
    entraIdentifierUri: entraIdentifierUri
    workspaceId: monitoring.outputs.workspaceId
  }
}

module actionGroups 'modules/action-groups.bicep' = {
  name: '${name}-action-groups'
  params: {
    name: name
    tags: tags
    functionAppId: functionApp.outputs.id
    alertEndpoint: functionApp.outputs.alertEndpoint
    vaultName: vault.outputs.name
    storageAccountName: storage.outputs.name
    entraObjectId: entraObjectId
    entraIdentifierUri: entraIdentifierUri
    operatorEmails: operatorEmails
  }
}

module logAlerts 'modules/log-alerts.bicep' = if (!empty(operatorEmails)) {
  name: '${name}-log-alerts'
  params: {
    name: name
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    operatorsId: actionGroups.outputs.operatorsId
  }
}

@description('Name of the function app.')
output functionAppName string = functionApp.outputs.name

@description('Address of the alert endpoint, without a key.')
output alertEndpoint string = functionApp.outputs.alertEndpoint

@description('Resource id of the identity.')
output identityId string = identity.outputs.id

@description('Object id of the identity: who roles are assigned to.')
output identityPrincipalId string = identity.outputs.principalId

@description('Client id of the identity.')
output identityClientId string = identity.outputs.clientId

@description('Name of the storage account.')
output storageAccountName string = storage.outputs.name

@description('Resource id of the storage account.')
output storageAccountId string = storage.outputs.id

@description('Name of the vault.')
output vaultName string = vault.outputs.name

@description('Resource id of the Log Analytics workspace.')
output workspaceId string = monitoring.outputs.workspaceId

@description('Resource id of the action group that calls vmreach.')
output actionGroupId string = actionGroups.outputs.vmreachId

@description('Resource id of the action group of the operators; empty where there is none.')
output operatorsActionGroupId string = actionGroups.outputs.operatorsId
