metadata name = 'Connection alert'
metadata description = 'Alert rule on the tests of a connection monitor.'

@description('Name that the rule is named after.')
param name string

@description('Tags of the resource.')
param tags object

@description('Resource id of the connection monitor.')
param connectionMonitorId string

@description('Ids of the action groups by who is told: vmreach and operators.')
param actionGroups object

@description('Rule on the results of tests.')
param test object

resource rule 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: '${name}-connection-test'
  location: 'global'
  tags: tags
  properties: {
    description: test.description
    enabled: true
    severity: test.severity
    scopes: [
      connectionMonitorId
    ]
    evaluationFrequency: test.frequency
    windowSize: test.window
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'connection-test'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: test.namespace
          metricName: test.metric
          timeAggregation: test.aggregation
          operator: test.operator
          threshold: test.threshold
          // The metric is there once the first test has run.
          skipMetricValidation: true
          // Every combination is an alert of its own, and carries the values: vmreach learns both ends from them.
          dimensions: [for dimension in test.dimensions: {
            name: dimension
            operator: 'Include'
            values: [
              '*'
            ]
          }]
        }
      ]
    }
    actions: [
      {
        actionGroupId: actionGroups[test.to]
      }
    ]
  }
}
