targetScope = 'subscription'

metadata name = 'Watch'
metadata description = 'What watches one subscription and calls vmreach. main.bicep uses it; it deploys alone for further subscriptions.'

@export()
@description('A connection that Network Watcher tests every minute.')
type connectionTest = {
  // Name of the test: letters, digits and dashes.
  name: string
  // Resource id of the VM that tests; it has the Network Watcher agent.
  sourceId: string
  // Resource id of the VM that is tested; or destinationAddress.
  destinationId: string?
  // Address or name that is tested.
  destinationAddress: string?
  // TCP port that is tested.
  port: int
  protocol: 'Tcp'?
}

@minLength(3)
@maxLength(20)
@description('Name that the resources are named after: lower-case letters, digits and dashes.')
param name string = 'vmreach'

@description('Azure region of the resource group, and of the connection monitor unless another is given.')
param location string = deployment().location

@minLength(1)
@maxLength(90)
@description('Resource group, in this subscription, of the alert rules and of what sends events.')
param resourceGroupName string = 'rg-${name}'

@description('Whether to make the resource group; false where it is there.')
param createResourceGroup bool = true

@description('Tags of the resources.')
param tags object = {}

@description('Resource id of the action group that calls vmreach.')
param actionGroupId string

@description('Resource id of the action group of the operators; empty for none, and then no rules whose alerts only operators want.')
param operatorsActionGroupId string = ''

@description('Resource id of the identity of vmreach, which delivers events.')
param identityId string

@description('Resource id of the storage account of vmreach, whose queue takes events.')
param storageAccountId string

@description('Resource id of the workspace that takes results of connection tests; empty for none.')
param workspaceId string = ''

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

var alerts = loadJsonContent('../shared/alerts.json')
var actionGroups = {
  vmreach: actionGroupId
  operators: operatorsActionGroupId
}

var tests = empty(filter(connectionTests, test => empty(test.?destinationId) == empty(test.?destinationAddress))) ? connectionTests : fail('connectionTests: each must have destinationId or destinationAddress, and not both.')

// A rule without an action tells nobody: those for operators are made where there are any.
var activityRules = filter(items(alerts.activityLog), rule => !empty(actionGroups[rule.value.to]))

// Of each property of a resource's health, any of the values.
var healthConditions = toObject(filter(activityRules, rule => contains(rule.value, 'resourceHealth')), rule => rule.key, rule => [
  { anyOf: map(rule.value.resourceHealth.current, value => { field: 'properties.currentHealthStatus', equals: value }) }
  { anyOf: map(rule.value.resourceHealth.previous, value => { field: 'properties.previousHealthStatus', equals: value }) }
  { anyOf: map(rule.value.resourceHealth.reason, value => { field: 'properties.cause', equals: value }) }
])

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = if (createResourceGroup) {
  name: resourceGroupName
  location: location
  tags: tags
}

module alertRules 'modules/alerts.bicep' = {
  name: '${name}-alerts'
  scope: resourceGroup(resourceGroupName)
  params: {
    name: name
    tags: tags
    actionGroups: actionGroups
    activityLog: toObject(activityRules, rule => rule.key, rule => rule.value)
    healthConditions: healthConditions
    availability: alerts.metric['vm-availability']
    watchedRegions: watchedRegions
  }
  dependsOn: [
    group
  ]
}

module maintenanceRule 'modules/maintenance.bicep' = if (maintenance != null) {
  name: '${name}-maintenance'
  scope: resourceGroup(resourceGroupName)
  params: {
    name: name
    tags: tags
    maintenance: maintenance!
  }
  dependsOn: [
    group
  ]
}

module eventDelivery 'modules/events.bicep' = if (events) {
  name: '${name}-events'
  scope: resourceGroup(resourceGroupName)
  params: {
    name: name
    tags: tags
    identityId: identityId
    storageAccountId: storageAccountId
    queue: 'diagnosis-requests'
  }
  dependsOn: [
    group
  ]
}

module connectionMonitor 'modules/connection-monitor.bicep' = if (!empty(connectionTests)) {
  name: '${name}-connection-monitor'
  scope: resourceGroup(networkWatcherResourceGroup)
  params: {
    name: name
    location: connectionTestRegion
    tags: tags
    networkWatcherName: networkWatcherName
    tests: tests
    workspaceId: workspaceId
  }
}

module connectionAlert 'modules/connection-alert.bicep' = if (!empty(connectionTests)) {
  name: '${name}-connection-alert'
  scope: resourceGroup(resourceGroupName)
  params: {
    name: name
    tags: tags
    actionGroups: actionGroups
    connectionMonitorId: connectionMonitor!.outputs.id
    test: alerts.metric['connection-test']
  }
  dependsOn: [
    group
  ]
}
