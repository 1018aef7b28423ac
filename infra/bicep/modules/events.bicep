metadata name = 'Events'
metadata description = 'Event Grid: failed writes of network interfaces in this subscription go to the queue of vmreach.'

@description('Name that the resources are named after.')
param name string

@description('Tags of the resources.')
param tags object

@description('Resource id of the identity that delivers: it may put messages on the queue.')
param identityId string

@description('Resource id of the storage account with the queue.')
param storageAccountId string

@description('Name of the queue.')
param queue string

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${name}'
  location: 'global'
  tags: tags
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    source: subscription().id
    topicType: 'Microsoft.Resources.Subscriptions'
  }
}

// Without dead letters: what is not delivered within a day the sweep has found long before, and a container that nobody
// reads would only look safe.
resource failedInterfaces 'Microsoft.EventGrid/systemTopics/eventSubscriptions@2025-02-15' = {
  parent: topic
  name: 'nic-write-failed'
  properties: {
    eventDeliverySchema: 'EventGridSchema'
    deliveryWithResourceIdentity: {
      identity: {
        type: 'UserAssigned'
        userAssignedIdentity: identityId
      }
      destination: {
        endpointType: 'StorageQueue'
        properties: {
          resourceId: storageAccountId
          queueName: queue
        }
      }
    }
    filter: {
      includedEventTypes: [
        'Microsoft.Resources.ResourceWriteFailure'
      ]
      advancedFilters: [
        {
          operatorType: 'StringIn'
          key: 'data.operationName'
          values: [
            'Microsoft.Network/networkInterfaces/write'
          ]
        }
      ]
    }
    retryPolicy: {
      maxDeliveryAttempts: 30
      eventTimeToLiveInMinutes: 1440
    }
  }
}
