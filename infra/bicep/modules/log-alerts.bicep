metadata name = 'Log alerts'
metadata description = 'Alert rules on the workspace: what the operators must know of vmreach itself.'

@description('Name that the rules are named after.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resources.')
param tags object

@description('Resource id of the Log Analytics workspace.')
param workspaceId string

@description('Resource id of the action group of the operators.')
param operatorsId string

var rules = loadJsonContent('../../shared/alerts.json')
var queries = loadJsonContent('../../shared/queries.json')

resource logRules 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for rule in items(rules.log): {
  name: '${name}-${rule.key}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${name}-${rule.key}'
    description: rule.value.description
    enabled: true
    severity: rule.value.severity
    scopes: [
      workspaceId
    ]
    evaluationFrequency: rule.value.frequency
    windowSize: rule.value.window
    autoMitigate: true
    // Tables of a workspace come into being with the first line in them.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: queries[rule.value.query].query
          timeAggregation: 'Count'
          operator: rule.value.operator
          threshold: rule.value.threshold
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [
        operatorsId
      ]
    }
  }
}]
