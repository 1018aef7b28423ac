metadata name = 'Monitoring'
metadata description = 'Log Analytics workspace, Application Insights, saved searches and the workbook.'

@description('Name that the resources are named after.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@minValue(30)
@maxValue(730)
@description('How many days logs are kept.')
param logRetentionDays int

@minValue(-1)
@description('Above how many GB a day the workspace takes no more logs; -1 for no limit.')
param dailyLogCapGB int

@description('Whether to make the workbook.')
param enableWorkbook bool

@description('Object id of the identity that sends telemetry.')
param principalId string

// Monitoring Metrics Publisher: what sending telemetry takes where local authentication is off.
var metricsPublisher = '3913510d-42f4-4e42-8a64-420c390055eb'

var queries = loadJsonContent('../../shared/queries.json')
var workbookContent = loadJsonContent('../../shared/workbook.json')

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-02-01' = {
  name: 'log-${name}'
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logRetentionDays
    workspaceCapping: {
      dailyQuotaGb: dailyLogCapGB
    }
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource savedSearches 'Microsoft.OperationalInsights/workspaces/savedSearches@2025-02-01' = [for query in items(queries): {
  parent: workspace
  name: 'vmreach-${query.key}'
  // Without it Azure refuses to write over a search that is there.
  etag: '*'
  properties: {
    category: 'vmreach'
    displayName: query.value.title
    query: query.value.query
    version: 2
  }
}]

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${name}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: workspace.id
  }
}

resource telemetryAccess 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, principalId, metricsPublisher)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', metricsPublisher)
  }
}

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = if (enableWorkbook) {
  // Azure takes nothing but a GUID for the name of a workbook.
  name: guid(resourceGroup().id, name, 'workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: name
    category: 'workbook'
    sourceId: workspace.id
    version: 'Notebook/1.0'
    serializedData: string(union(workbookContent, {
      fallbackResourceIds: [
        workspace.id
      ]
    }))
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id

@description('Connection string of Application Insights: where telemetry goes, and no secret since local authentication is off.')
output connectionString string = insights.properties.ConnectionString
