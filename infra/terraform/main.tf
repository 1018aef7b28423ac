# The group, and the identity that the app does everything with: there is no other, and there are no keys.

data "azurerm_client_config" "current" {}

resource "azurerm_resource_group" "this" {
  name     = local.resource_group_name
  location = var.location
  tags     = var.tags
}

resource "azurerm_user_assigned_identity" "this" {
  name                = local.names.identity
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags
}

# What the identity may do in Azure beyond this deployment: nothing, unless asked.
module "roles" {
  source = "./modules/roles"

  name         = var.name
  principal_id = azurerm_user_assigned_identity.this.principal_id
  role_scope   = var.role_scope
  diagnose     = local.roles.diagnose
  remediate    = local.roles.remediate
  guest        = local.roles.guest
}
