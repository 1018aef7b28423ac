# Custom roles: none unless asked, and what roles.json says.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  location = "westeurope"
  scopes   = ["00000000-0000-0000-0000-000000000001"]
}

run "none_unless_asked" {
  command = plan

  assert {
    condition     = length(module.roles.role_names) == 0
    error_message = "There must be no role unless asked."
  }
}

run "derived_from_what_is_on" {
  command = plan

  variables {
    remediation_mode = "auto"
    run_command      = "on"
  }

  assert {
    condition     = local.roles == { diagnose = false, remediate = true, guest = true }
    error_message = "What may write or run scripts must have its role, unless told otherwise."
  }
}

run "told_otherwise" {
  command = plan

  variables {
    remediation_mode      = "auto"
    run_command           = "on"
    assign_diagnose_role  = true
    assign_remediate_role = false
    assign_guest_role     = false
  }

  assert {
    condition     = keys(module.roles.role_names) == ["diagnose"]
    error_message = "Roles must be assigned as told."
  }
}

run "subscription" {
  command = apply

  module {
    source = "./modules/roles"
  }

  variables {
    name         = "vmreach"
    principal_id = "00000000-0000-0000-0000-00000000000d"
    diagnose     = true
    remediate    = true
    guest        = true
  }

  assert {
    condition     = alltrue([for key, role in azurerm_role_definition.this : toset(role.permissions[0].actions) == toset(keys(jsondecode(file("${path.module}/../../../shared/roles.json"))[key].actions)) && length(role.permissions[0].actions) > 0])
    error_message = "Each role must have the actions of roles.json and no others."
  }

  assert {
    condition     = keys(azurerm_role_definition.this) == ["diagnose", "guest", "remediate"] && keys(azurerm_role_assignment.this) == ["diagnose", "guest", "remediate"]
    error_message = "All three must be defined and assigned when asked."
  }

  assert {
    condition     = alltrue([for role in azurerm_role_definition.this : role.scope == "/subscriptions/00000000-0000-0000-0000-000000000001" && role.assignable_scopes == tolist(["/subscriptions/00000000-0000-0000-0000-000000000001"])])
    error_message = "Without a scope roles must be the subscription's."
  }

  assert {
    condition     = azurerm_role_definition.this["diagnose"].name == "vmreach diagnose (vmreach, 00000000)"
    error_message = "A role's name must tell its deployment and its scope."
  }

  assert {
    condition     = alltrue([for assignment in azurerm_role_assignment.this : assignment.principal_id == "00000000-0000-0000-0000-00000000000d" && assignment.principal_type == "ServicePrincipal"])
    error_message = "Roles must be given to the identity."
  }
}

run "management_group" {
  command = apply

  module {
    source = "./modules/roles"
  }

  variables {
    name         = "vmreach"
    principal_id = "00000000-0000-0000-0000-00000000000d"
    role_scope   = "/providers/Microsoft.Management/managementGroups/platform"
    diagnose     = true
  }

  assert {
    condition     = azurerm_role_definition.this["diagnose"].name == "vmreach diagnose (vmreach, platform)" && azurerm_role_definition.this["diagnose"].assignable_scopes == tolist(["/providers/Microsoft.Management/managementGroups/platform"])
    error_message = "A management group's roles must be its own."
  }

  assert {
    condition     = azurerm_role_assignment.this["diagnose"].scope == "/providers/Microsoft.Management/managementGroups/platform"
    error_message = "Roles must be assigned at the management group."
  }
}
