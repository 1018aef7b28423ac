targetScope = 'subscription'

metadata name = 'Roles'
metadata description = 'Custom roles of vmreach in one subscription, and their assignment to its identity. Deploys alone, too.'

@minLength(3)
@maxLength(20)
@description('Name of the deployment, which the names of the roles carry.')
param name string = 'vmreach'

@description('Object id of the identity that is given the roles.')
param principalId string

@description('Whether to give the role that reads and asks Network Watcher.')
param assignDiagnoseRole bool = false

@description('Whether to give the role that writes network interfaces.')
param assignRemediateRole bool = false

@description('Whether to give the role that runs scripts in guests.')
param assignGuestRole bool = false

var roles = loadJsonContent('../../shared/roles.json')
var chosen = concat(assignDiagnoseRole ? ['diagnose'] : [], assignRemediateRole ? ['remediate'] : [], assignGuestRole ? ['guest'] : [])

// Role names are unique in a tenant.
var suffix = '(${name}, ${take(subscription().subscriptionId, 8)})'

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in chosen: {
  name: guid(subscription().id, name, role)
  properties: {
    roleName: '${roles[role].title} ${suffix}'
    description: roles[role].description
    type: 'CustomRole'
    assignableScopes: [
      subscription().id
    ]
    permissions: [
      {
        actions: [for action in items(roles[role].actions): action.key]
        notActions: []
        dataActions: []
        notDataActions: []
      }
    ]
  }
}]

resource assignments 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for (role, index) in chosen: {
  name: guid(subscription().id, name, role, principalId)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[index].id
  }
}]
