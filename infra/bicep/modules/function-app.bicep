metadata name = 'Function app'
metadata description = 'The functions on Flex Consumption, their settings, and who may call them.'

@description('Name that the resources are named after: globally unique.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the identity that the functions act as.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('Address of the blob service of the storage account of the functions.')
param blobEndpoint string

@description('Address of its queue service.')
param queueEndpoint string

@description('Address of its table service.')
param tableEndpoint string

@description('Address of the blob container that the package is deployed to.')
param packageContainerUri string

@description('Address of the vault that keeps the keys of the functions.')
param vaultUri string

@description('Connection string of Application Insights.')
param insightsConnectionString string

@description('Settings of vmreach itself: names and values.')
param settings object

@allowed([
  512
  2048
  4096
])
@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@minValue(40)
@maxValue(1000)
@description('How many instances there may be at a time.')
param maximumInstanceCount int

@description('Addresses (CIDR) that may call the alert endpoint, beside action groups.')
param alertAddresses array

@description('Resource id of the subnet that all outbound traffic takes; empty for none.')
param subnetId string

@description('Client id of the Entra application that callers must have a token for; empty for the function key alone.')
param entraClientId string

@description('Identifier URI of that application.')
param entraIdentifierUri string

@description('Resource id of the Log Analytics workspace that takes the logs.')
param workspaceId string

// The application that action groups call as ("AZNS AAD Webhook"), the same in every tenant.
var actionGroupsClientId = '461e8683-5575-4561-ac7f-899cc907d62a'

var addressRules = [for (address, index) in alertAddresses: {
  name: 'alerts-${index}'
  description: 'May call the alert endpoint'
  action: 'Allow'
  priority: 200 + index
  ipAddress: address
}]

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225:alerts wait in their queue, and Azure Monitor tries again; one zone is enough
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    name: 'FC1'
    tier: 'FlexConsumption'
  }
  properties: {
    reserved: true
  }
}

resource site 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_17:action groups have no client certificate
  // checkov:skip=CKV_AZURE_78:Azure refuses ftpsState on Flex Consumption, which has no FTP; its password is off below
  // checkov:skip=CKV_AZURE_212:Flex Consumption scales by itself, and to nothing
  // checkov:skip=CKV_AZURE_213:Flex Consumption has no health check; an alert rule tells when nothing runs
  // checkov:skip=CKV_AZURE_222:Azure Monitor calls from outside; nobody else may but alertAddresses
  name: 'func-${name}'
  location: location
  // azd finds what it deploys to by this tag.
  tags: union(tags, {
    'azd-service-name': 'app'
  })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUri
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: {
        name: 'python'
        version: '3.13'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
    }
    siteConfig: {
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ipSecurityRestrictionsDefaultAction: 'Deny'
      ipSecurityRestrictions: concat([
        {
          name: 'azure-monitor'
          description: 'Action groups of Azure Monitor call the alert endpoint'
          action: 'Allow'
          priority: 100
          tag: 'ServiceTag'
          ipAddress: 'ActionGroup'
        }
      ], addressRules)
      // Packages come in here, from wherever one deploys, with a token of Entra ID.
      scmIpSecurityRestrictionsDefaultAction: 'Allow'
      scmIpSecurityRestrictionsUseMain: false
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-11-01' = {
  // checkov:skip=CKV_AZURE_13:these are the app settings; authentication is a resource of its own, below
  // checkov:skip=CKV_AZURE_63:Flex Consumption has no web server log; requests are in Application Insights
  // checkov:skip=CKV_AZURE_65:Flex Consumption has no detailed error pages
  // checkov:skip=CKV_AZURE_66:Flex Consumption has no request tracing; requests are in Application Insights
  // checkov:skip=CKV_AZURE_80:there is no .NET
  // checkov:skip=CKV_AZURE_88:Flex Consumption mounts no Azure Files; the package comes from a blob
  // checkov:skip=CKV_AZURE_222:Azure Monitor calls from outside; the site says who else may
  parent: site
  name: 'appsettings'
  properties: union(settings, {
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    AZURE_CLIENT_ID: identityClientId
    AzureWebJobsSecretStorageKeyVaultClientId: identityClientId
    AzureWebJobsSecretStorageKeyVaultUri: vaultUri
    AzureWebJobsSecretStorageType: 'keyvault'
    // Addresses, since the host takes an account's name for one in the public cloud.
    AzureWebJobsStorage__blobServiceUri: blobEndpoint
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__queueServiceUri: queueEndpoint
    AzureWebJobsStorage__tableServiceUri: tableEndpoint
  })
}

// One after the other, here and below: App Service refuses two changes of a site at once.
// Always written, so that emptying the parameters turns it off again.
resource authentication 'Microsoft.Web/sites/config@2024-11-01' = {
  // checkov:skip=CKV_AZURE_13:this is what turns it on, where an Entra application is given; the function key is wanted always
  // checkov:skip=CKV_AZURE_63:Flex Consumption has no web server log; requests are in Application Insights
  // checkov:skip=CKV_AZURE_65:Flex Consumption has no detailed error pages
  // checkov:skip=CKV_AZURE_66:Flex Consumption has no request tracing; requests are in Application Insights
  // checkov:skip=CKV_AZURE_80:there is no .NET
  // checkov:skip=CKV_AZURE_88:Flex Consumption mounts no Azure Files; the package comes from a blob
  // checkov:skip=CKV_AZURE_222:Azure Monitor calls from outside; the site says who else may
  parent: site
  name: 'authsettingsV2'
  properties: {
    platform: {
      enabled: !empty(entraClientId)
    }
    globalValidation: {
      requireAuthentication: !empty(entraClientId)
      unauthenticatedClientAction: empty(entraClientId) ? 'AllowAnonymous' : 'Return401'
    }
    httpSettings: {
      requireHttps: true
    }
    identityProviders: empty(entraClientId) ? {} : {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: entraClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          // Tokens of version 1 are made out to the URI, those of version 2 to the client id.
          allowedAudiences: [
            entraIdentifierUri
            entraClientId
          ]
          defaultAuthorizationPolicy: {
            allowedApplications: [
              actionGroupsClientId
            ]
          }
        }
      }
    }
    login: {
      tokenStore: {
        enabled: false
      }
    }
  }
  dependsOn: [
    appSettings
  ]
}

resource noFtpPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'ftp'
  properties: {
    allow: false
  }
  dependsOn: [
    authentication
  ]
}

resource noScmPasswords 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-11-01' = {
  parent: site
  name: 'scm'
  properties: {
    allow: false
  }
  dependsOn: [
    noFtpPasswords
  ]
}

resource functionLogs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: site
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      {
        category: 'FunctionAppLogs'
        enabled: true
      }
    ]
  }
}

@description('Resource id of the function app.')
output id string = site.id

@description('Name of the function app.')
output name string = site.name

@description('Address of the alert endpoint, without a key.')
output alertEndpoint string = 'https://${site.properties.defaultHostName}/api/alerts'
