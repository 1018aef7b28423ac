# Ids of the right form: the provider checks the form of those it is given.

mock_data "azurerm_client_config" {
  defaults = {
    tenant_id       = "00000000-0000-0000-0000-00000000000a"
    subscription_id = "00000000-0000-0000-0000-000000000001"
    object_id       = "00000000-0000-0000-0000-00000000000b"
    client_id       = "00000000-0000-0000-0000-00000000000c"
  }
}

mock_resource "azurerm_resource_group" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach"
  }
}

mock_resource "azurerm_user_assigned_identity" {
  defaults = {
    id           = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-vmreach"
    principal_id = "00000000-0000-0000-0000-00000000000d"
    client_id    = "00000000-0000-0000-0000-00000000000e"
  }
}

mock_resource "azurerm_storage_account" {
  defaults = {
    id                     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Storage/storageAccounts/stvmreach"
    primary_blob_endpoint  = "https://stvmreach.blob.core.windows.net/"
    primary_queue_endpoint = "https://stvmreach.queue.core.windows.net/"
    primary_table_endpoint = "https://stvmreach.table.core.windows.net/"
  }
}

mock_resource "azurerm_key_vault" {
  defaults = {
    id        = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.KeyVault/vaults/kv-vmreach"
    vault_uri = "https://kv-vmreach.vault.azure.net/"
  }
}

mock_resource "azurerm_log_analytics_workspace" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.OperationalInsights/workspaces/log-vmreach"
  }
}

mock_resource "azurerm_application_insights" {
  defaults = {
    id                = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Insights/components/appi-vmreach"
    connection_string = "InstrumentationKey=00000000-0000-0000-0000-00000000000f"
  }
}

mock_resource "azurerm_service_plan" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Web/serverFarms/asp-vmreach"
  }
}

mock_resource "azurerm_function_app_flex_consumption" {
  defaults = {
    id               = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Web/sites/vmreach"
    default_hostname = "vmreach.azurewebsites.net"
  }
}

mock_resource "azurerm_monitor_action_group" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Insights/actionGroups/ag-vmreach"
  }
}

mock_resource "azurerm_network_connection_monitor" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope/connectionMonitors/vmreach"
  }
}

mock_resource "azurerm_role_definition" {
  defaults = {
    role_definition_resource_id = "/subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/roleDefinitions/00000000-0000-0000-0000-000000000010"
  }
}

mock_resource "azurerm_virtual_network" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Network/virtualNetworks/vnet-vmreach"
  }
}

mock_resource "azurerm_subnet" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Network/virtualNetworks/vnet-vmreach/subnets/subnet"
  }
}

mock_resource "azurerm_network_security_group" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Network/networkSecurityGroups/nsg-vmreach"
  }
}

mock_resource "azurerm_private_dns_zone" {
  defaults = {
    id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net"
  }
}
