# A further subscription for a vmreach that is deployed already: its rules call the same app, and the app's identity gets
# its roles here too. The app's own `scopes` must name this subscription as well.

provider "azurerm" {
  subscription_id = var.subscription_id
  environment     = var.cloud

  # Network Watcher is there where there are networks.
  resource_providers_to_register = ["Microsoft.AlertsManagement", "Microsoft.EventGrid", "Microsoft.Insights"]

  features {}
}

resource "azurerm_resource_group" "this" {
  name     = "rg-${var.name}-watch"
  location = var.location
}

module "watch" {
  source = "../../modules/watch"

  name                = var.name
  subscription_id     = var.subscription_id
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location

  action_group_id           = var.action_group_id
  operators_action_group_id = var.operators_action_group_id
  identity_id               = var.identity_id
  storage_account_id        = var.storage_account_id
  workspace_id              = var.workspace_id
}

module "roles" {
  source = "../../modules/roles"

  name         = var.name
  principal_id = var.identity_principal_id
  diagnose     = true
}
