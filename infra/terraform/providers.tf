provider "azurerm" {
  subscription_id = var.subscription_id
  environment     = var.cloud

  # The storage account takes no keys.
  storage_use_azuread = true

  # azurerm 5 registers nothing by itself. Registering takes rights on the subscription that a deployer may lack: then
  # set register_resource_providers = false and have them registered once.
  resource_providers_to_register = var.register_resource_providers ? local.resource_providers : []

  features {
    key_vault {
      # Purge protection forbids it; a vault deployed again under its name is recovered instead.
      purge_soft_delete_on_destroy          = false
      purge_soft_deleted_secrets_on_destroy = false
      recover_soft_deleted_key_vaults       = true
      recover_soft_deleted_secrets          = true
    }
    resource_group {
      # Azure puts a rule and an action group of its own beside Application Insights, some time after it was made: they
      # are in no state, and would keep the resource group from going.
      prevent_deletion_if_contains_resources = false
    }
    storage {
      # Containers, queues and tables are made through Azure Resource Manager: the deployer needs no role on the data,
      # and no way through the account's firewall.
      data_plane_available = false
    }
    template_deployment {
      # The one template deployment (app.tf) changes an app that Terraform has made, and removes, as a resource.
      delete_nested_items_during_deletion = false
    }
  }
}
