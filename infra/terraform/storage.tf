# One account for the host's own state, the queues, the tables, the reports and the deployed code.

resource "azurerm_storage_account" "this" {
  #checkov:skip=CKV_AZURE_206:what is in it is worked off in minutes or made again by the next sweep or audit; LRS is enough
  #checkov:skip=CKV_AZURE_35:without private_network the app has no address of its own to let in; data takes a role in any case
  #checkov:skip=CKV_AZURE_59:private_network is the reader's choice; data takes a role in any case
  #checkov:skip=CKV2_AZURE_33:private endpoints are there where private_network is on
  #checkov:skip=CKV2_AZURE_1:Microsoft's keys are enough for requests and findings
  #checkov:skip=CKV_AZURE_33:diagnostic settings in monitoring.tf log it; reads of queues are polls and would be most of the log
  name                = local.names.storage
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  account_kind             = "StorageV2"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  min_tls_version          = "TLS1_2"

  https_traffic_only_enabled       = true
  shared_access_key_enabled        = false
  default_to_oauth_authentication  = true
  local_user_enabled               = false
  allow_nested_items_to_be_public  = false
  cross_tenant_replication_enabled = false

  blob_properties {
    delete_retention_policy {
      days = 7
    }
    container_delete_retention_policy {
      days = 7
    }
  }

  network_rules {
    default_action = var.private_network ? "Deny" : "Allow"
    # Event Grid delivers to a queue as a trusted service.
    bypass = ["AzureServices"]
    # A single address has to come without /32 here.
    ip_rules = var.private_network ? [for block in var.deployer_addresses : trimsuffix(block, "/32")] : []
  }
}

resource "azurerm_storage_container" "this" {
  #checkov:skip=CKV2_AZURE_21:the diagnostic setting in monitoring.tf logs it
  for_each = setunion([local.package], local.reports)

  name                  = each.key
  storage_account_id    = azurerm_storage_account.this.id
  container_access_type = "private"
}

resource "azurerm_storage_queue" "this" {
  for_each = local.queues

  name               = each.key
  storage_account_id = azurerm_storage_account.this.id
}

resource "azurerm_storage_table" "this" {
  #checkov:skip=CKV2_AZURE_20:the diagnostic setting in monitoring.tf logs it
  for_each = local.tables

  name               = each.key
  storage_account_id = azurerm_storage_account.this.id
}

resource "azurerm_storage_management_policy" "this" {
  count = length(local.reports)

  storage_account_id = azurerm_storage_account.this.id

  rule {
    name    = "delete-old-reports"
    enabled = true

    filters {
      blob_types   = ["blockBlob"]
      prefix_match = ["${var.reports_container}/"]
    }

    actions {
      base_blob {
        delete_after_days_since_modification_greater_than = var.report_retention_days
      }
    }
  }
}

resource "azurerm_role_assignment" "storage" {
  for_each = toset([
    "Storage Blob Data Owner", # what the Functions host wants: it takes leases
    "Storage Queue Data Contributor",
    "Storage Table Data Contributor",
  ])

  scope                = azurerm_storage_account.this.id
  role_definition_name = each.key
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}
