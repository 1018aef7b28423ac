metadata name = 'Connection monitor'
metadata description = 'Tests of connections from VMs of one region, made by its Network Watcher.'

@description('Name of the connection monitor.')
param name string

@description('Azure region of the Network Watcher and of the VMs that test.')
param location string

@description('Tags of the resource.')
param tags object

@description('Name of the Network Watcher.')
param networkWatcherName string

@description('The tests: name, sourceId, destinationId or destinationAddress, port.')
param tests array

@description('Resource id of a Log Analytics workspace that takes the results; empty for none.')
param workspaceId string

var sources = [for test in tests: {
  name: '${test.name}-source'
  type: 'AzureVM'
  resourceId: test.sourceId
}]

var destinations = [for test in tests: empty(test.?destinationId ?? '') ? {
  name: '${test.name}-destination'
  type: 'ExternalAddress'
  address: test.destinationAddress
} : {
  name: '${test.name}-destination'
  type: 'AzureVM'
  resourceId: test.destinationId
}]

resource networkWatcher 'Microsoft.Network/networkWatchers@2024-05-01' existing = {
  name: networkWatcherName
}

resource monitor 'Microsoft.Network/networkWatchers/connectionMonitors@2024-05-01' = {
  parent: networkWatcher
  name: name
  location: location
  tags: tags
  properties: {
    endpoints: concat(sources, destinations)
    testConfigurations: [for test in tests: {
      name: test.name
      protocol: test.?protocol ?? 'Tcp'
      testFrequencySec: 60
      tcpConfiguration: {
        port: test.port
      }
    }]
    testGroups: [for test in tests: {
      name: test.name
      sources: [
        '${test.name}-source'
      ]
      destinations: [
        '${test.name}-destination'
      ]
      testConfigurations: [
        test.name
      ]
    }]
    outputs: empty(workspaceId) ? [] : [
      {
        type: 'Workspace'
        workspaceSettings: {
          workspaceResourceId: workspaceId
        }
      }
    ]
  }
}

@description('Resource id of the connection monitor.')
output id string = monitor.id
