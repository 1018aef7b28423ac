metadata name = 'Alerts'
metadata description = 'Alert rules of one subscription: activity log, resource health, and VM availability by region.'

@description('Name that the rules are named after.')
param name string

@description('Tags of the resources.')
param tags object

@description('Ids of the action groups by who is told: vmreach and operators.')
param actionGroups object

@description('Rules on the activity log, by name.')
param activityLog object

@description('Conditions on the health of the resource, by name of the rule.')
param healthConditions object

@description('Rule on the availability of VMs.')
param availability object

@description('Azure regions whose VMs are watched for availability.')
param watchedRegions array

resource activityRules 'Microsoft.Insights/activityLogAlerts@2020-10-01' = [for rule in items(activityLog): {
  name: '${name}-${rule.key}'
  location: 'global'
  tags: tags
  properties: {
    description: rule.value.description
    enabled: true
    scopes: [
      subscription().id
    ]
    condition: {
      allOf: concat([
        {
          field: 'category'
          equals: rule.value.category
        }
      ], contains(rule.value, 'operationName') ? [
        {
          field: 'operationName'
          equals: rule.value.operationName
        }
      ] : [], contains(rule.value, 'statuses') ? [
        {
          field: 'status'
          containsAny: rule.value.statuses
        }
      ] : [], contains(rule.value, 'resourceTypes') ? [
        {
          field: 'resourceType'
          containsAny: rule.value.resourceTypes
        }
      ] : [], contains(healthConditions, rule.key) ? healthConditions[rule.key] : [])
    }
    actions: {
      actionGroups: [
        {
          actionGroupId: actionGroups[rule.value.to]
        }
      ]
    }
  }
}]

resource availabilityRules 'Microsoft.Insights/metricAlerts@2018-03-01' = [for region in watchedRegions: {
  name: '${name}-vm-availability-${region}'
  location: 'global'
  tags: tags
  properties: {
    description: availability.description
    enabled: true
    severity: availability.severity
    scopes: [
      subscription().id
    ]
    targetResourceType: availability.resourceType
    targetResourceRegion: region
    evaluationFrequency: availability.frequency
    windowSize: availability.window
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.MultipleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'vm-availability'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: availability.namespace
          metricName: availability.metric
          timeAggregation: availability.aggregation
          operator: availability.operator
          threshold: availability.threshold
          dimensions: [for dimension in availability.dimensions: {
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
        actionGroupId: actionGroups[availability.to]
      }
    ]
  }
}]
