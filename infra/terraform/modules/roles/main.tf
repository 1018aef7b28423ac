# The custom roles: what each may do, and the call that needs it, is in infra/shared/roles.json.

data "azurerm_client_config" "current" {}

locals {
  roles = jsondecode(file("${path.module}/../../../shared/roles.json"))

  scope = var.role_scope != "" ? var.role_scope : "/subscriptions/${data.azurerm_client_config.current.subscription_id}"
  # What tells one scope's roles from another's: the management group, or the start of the subscription's id.
  place = startswith(local.scope, "/subscriptions/") ? substr(split("/", local.scope)[2], 0, 8) : reverse(split("/", local.scope))[0]

  wanted = { for key, on in { diagnose = var.diagnose, remediate = var.remediate, guest = var.guest } : key => local.roles[key] if on }
}

resource "azurerm_role_definition" "this" {
  for_each = local.wanted

  name              = "${each.value.title} (${var.name}, ${local.place})"
  description       = each.value.description
  scope             = local.scope
  assignable_scopes = [local.scope]

  permissions {
    actions = keys(each.value.actions)
  }
}

resource "azurerm_role_assignment" "this" {
  for_each = azurerm_role_definition.this

  scope              = local.scope
  role_definition_id = each.value.role_definition_resource_id
  principal_id       = var.principal_id
  principal_type     = "ServicePrincipal"
}
