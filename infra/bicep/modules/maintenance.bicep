metadata name = 'Maintenance'
metadata description = 'Alert processing rule: alerts of vmreach call nobody while there is maintenance.'

@description('Name that the rule is named after.')
param name string

@description('Tags of the resource.')
param tags object

@description('The window: start, end and timeZone for once, or days, startTime, endTime and timeZone for every week.')
param maintenance object

resource rule 'Microsoft.AlertsManagement/actionRules@2021-08-08' = {
  name: '${name}-maintenance'
  location: 'global'
  tags: tags
  properties: {
    description: 'Alerts of vmreach call nobody while there is maintenance'
    enabled: true
    scopes: [
      subscription().id
    ]
    // The scope is of what alerts are about: without this, alerts of others about the same machines fell silent too.
    conditions: [
      {
        field: 'AlertRuleName'
        operator: 'Contains'
        values: [
          '${name}-'
        ]
      }
    ]
    schedule: contains(maintenance, 'days') ? {
      timeZone: maintenance.?timeZone ?? 'UTC'
      recurrences: [
        {
          recurrenceType: 'Weekly'
          daysOfWeek: maintenance.days
          startTime: maintenance.startTime
          endTime: maintenance.endTime
        }
      ]
    } : {
      timeZone: maintenance.?timeZone ?? 'UTC'
      effectiveFrom: maintenance.start
      effectiveUntil: maintenance.end
    }
    actions: [
      {
        actionType: 'RemoveAllActionGroups'
      }
    ]
  }
}
