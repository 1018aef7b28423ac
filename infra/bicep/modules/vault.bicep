metadata name = 'Vault'
metadata description = 'The Key Vault: the keys of the functions, and the Teams webhook where there is one.'

@minLength(3)
@maxLength(24)
@description('Name of the vault: globally unique.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

@secure()
@description('The Teams Workflows webhook; empty for none.')
param teamsWebhookUrl string

@description('Whether only the virtual network, trusted services of Azure and allowedAddresses reach the vault.')
param privateNetwork bool

@description('Public addresses (IPv4 or CIDR) that reach the vault while privateNetwork is on.')
param allowedAddresses array

@description('Object id of the identity that reads the webhook, and keeps the keys of the functions.')
param principalId string

@description('Resource id of the Log Analytics workspace that takes the logs.')
param workspaceId string

// Key Vault Secrets Officer: the Functions host writes the keys it makes.
var secretsOfficer = 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'

var addressRules = [for address in allowedAddresses: {
  value: address
}]

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // checkov:skip=CKV_AZURE_109:denied by default where privateNetwork is on, which is the reader's choice
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enablePurgeProtection: true
    enableRbacAuthorization: true
    enableSoftDelete: true
    // The shortest there is: all that is in it can be made anew, and so long the name is taken after a removal.
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: privateNetwork ? 'Deny' : 'Allow'
      ipRules: privateNetwork ? addressRules : []
    }
  }
}

resource webhook 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (!empty(teamsWebhookUrl)) {
  // checkov:skip=CKV_AZURE_41:the flow in Teams has no end date either: an expired secret would only stop the messages
  // checkov:skip=CKV_AZURE_114:it has a content type; the check does not look into conditional resources
  parent: vault
  name: 'teams-webhook-url'
  properties: {
    contentType: 'text/plain'
    value: teamsWebhookUrl
  }
}

resource secretsAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, principalId, secretsOfficer)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsOfficer)
  }
}

resource auditLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        categoryGroup: 'audit'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the vault.')
output id string = vault.id

@description('Name of the vault.')
output name string = vault.name

@description('Address of the vault, with a slash at its end.')
output uri string = vault.properties.vaultUri
