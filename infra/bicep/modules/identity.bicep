metadata name = 'Identity'
metadata description = 'The user-assigned identity that the functions, their storage and Event Grid act as.'

@description('Name of the identity.')
param name string

@description('Azure region.')
param location string

@description('Tags of the resource.')
param tags object

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id of the identity.')
output id string = identity.id

@description('Object id of the identity: who roles are assigned to.')
output principalId string = identity.properties.principalId

@description('Client id of the identity: how the functions name it.')
output clientId string = identity.properties.clientId
