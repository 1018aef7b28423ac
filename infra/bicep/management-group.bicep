targetScope = 'managementGroup'

metadata name = 'Roles of a management group'
metadata description = 'Custom roles of vmreach in a management group, and their assignment: for scopes of more than one subscription.'

@minLength(3)
@maxLength(20)
@description('Name of the deployment, which the names of the roles carry.')
param name string = 'vmreach'

@description('Object id of the identity of vmreach: the output identityPrincipalId of main.bicep.')
param principalId string

@description('Whether to give the role that reads and asks Network Watcher.')
param assignDiagnoseRole bool = false

@description('Whether to give the role that writes network interfaces.')
param assignRemediateRole bool = false

@description('Whether to give the role that runs scripts in guests.')
param assignGuestRole bool = false

var roles = loadJsonContent('../shared/roles.json')
var chosen = concat(assignDiagnoseRole ? ['diagnose'] : [], assignRemediateRole ? ['remediate'] : [], assignGuestRole ? ['guest'] : [])

// Role names are unique in a tenant, and names of management groups often begin alike.
var suffix = '(${name}, ${managementGroup().name})'

resource definitions 'Microsoft.Authorization/roleDefinitions@2022-04-01' = [for role in chosen: {
  name: guid(managementGroup().id, name, role)
  properties: {
    roleName: '${roles[role].title} ${suffix}'
    description: roles[role].description
    type: 'CustomRole'
    assignableScopes: [
      managementGroup().id
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
  name: guid(managementGroup().id, name, role, principalId)
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: definitions[index].id
  }
}]
