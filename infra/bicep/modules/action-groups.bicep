metadata name = 'Action groups'
metadata description = 'Who is told of alerts: vmreach itself, with the key of its endpoint, and its operators.'

@description('Name that the resources are named after.')
param name string

@description('Tags of the resources.')
param tags object

@description('Resource id of the function app.')
param functionAppId string

@description('Address of the alert endpoint, without a key.')
param alertEndpoint string

@description('Name of the vault that keeps the keys of the functions.')
param vaultName string

@description('Name of the storage account of the functions.')
param storageAccountName string

@description('Object id of the Entra application that the endpoint wants a token for; empty for the function key alone.')
param entraObjectId string

@description('Identifier URI of that application.')
param entraIdentifierUri string

@description('E-mail addresses of the operators; none for no group of operators.')
param operatorEmails array

// A key that nobody has to hand over, that is the same in every deployment, and that only who may list the account's
// keys can work out. The host keeps keys in memory: one that changed would refuse alerts until it starts again.
var alertKey = guid(account.listKeys().keys[0].value, functionAppId, 'alerts')

var alertUri = '${alertEndpoint}?code=${alertKey}'

var emailReceivers = [for (email, index) in operatorEmails: {
  name: 'operator-${index}'
  emailAddress: email
  useCommonAlertSchema: true
}]

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: storageAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

// The name by which the Functions host finds the key "actiongroup" of the function "alerts".
resource functionKey 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  // checkov:skip=CKV_AZURE_41:an expired key would stop alerts from coming in; docs say how it is changed
  parent: vault
  name: 'function--alerts--actiongroup'
  properties: {
    contentType: 'text/plain'
    value: alertKey
  }
}

resource vmreach 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take(name, 12)
    azureFunctionReceivers: !empty(entraObjectId) ? [] : [
      {
        name: 'alerts'
        functionAppResourceId: functionAppId
        functionName: 'alerts'
        httpTriggerUrl: alertUri
        useCommonAlertSchema: true
      }
    ]
    webhookReceivers: empty(entraObjectId) ? [] : [
      {
        name: 'alerts'
        serviceUri: alertUri
        useAadAuth: true
        objectId: entraObjectId
        identifierUri: entraIdentifierUri
        tenantId: tenant().tenantId
        useCommonAlertSchema: true
      }
    ]
  }
  dependsOn: [
    functionKey
  ]
}

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(operatorEmails)) {
  name: 'ag-${name}-operators'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take('ops-${name}', 12)
    emailReceivers: emailReceivers
  }
}

@description('Resource id of the action group that calls vmreach.')
output vmreachId string = vmreach.id

@description('Resource id of the action group of the operators; empty where there is none.')
output operatorsId string = empty(operatorEmails) ? '' : operators.id
