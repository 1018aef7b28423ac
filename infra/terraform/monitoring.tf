# Where logs and metrics go, and what there is to look at them with.

resource "azurerm_log_analytics_workspace" "this" {
  name                = local.names.workspace
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  sku                          = "PerGB2018"
  retention_in_days            = var.log_retention_days
  daily_quota_gb               = var.daily_log_cap_gb
  local_authentication_enabled = false
}

resource "azurerm_application_insights" "this" {
  name                = local.names.insights
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  application_type             = "web"
  workspace_id                 = azurerm_log_analytics_workspace.this.id
  local_authentication_enabled = false
}

resource "azurerm_role_assignment" "insights" {
  scope                = azurerm_application_insights.this.id
  role_definition_name = "Monitoring Metrics Publisher"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}

locals {
  diagnostics = {
    app    = { target = azurerm_function_app_flex_consumption.this.id, logs = ["FunctionAppLogs"], groups = [] }
    blobs  = { target = "${azurerm_storage_account.this.id}/blobServices/default", logs = ["StorageRead", "StorageWrite", "StorageDelete"], groups = [] }
    tables = { target = "${azurerm_storage_account.this.id}/tableServices/default", logs = ["StorageRead", "StorageWrite", "StorageDelete"], groups = [] }
    # Without reads: the host asks every queue for messages every few seconds, and that would be most of the log.
    queues = { target = "${azurerm_storage_account.this.id}/queueServices/default", logs = ["StorageWrite", "StorageDelete"], groups = [] }
    vault  = { target = azurerm_key_vault.this.id, logs = [], groups = ["audit"] }
  }
}

resource "azurerm_monitor_diagnostic_setting" "this" {
  for_each = local.diagnostics

  name                       = "to-workspace"
  target_resource_id         = each.value.target
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id

  dynamic "enabled_log" {
    for_each = each.value.logs
    content {
      category = enabled_log.value
    }
  }

  dynamic "enabled_log" {
    for_each = each.value.groups
    content {
      category_group = enabled_log.value
    }
  }
}

resource "azurerm_log_analytics_saved_search" "this" {
  for_each = local.queries

  name                       = "vmreach-${each.key}"
  log_analytics_workspace_id = azurerm_log_analytics_workspace.this.id
  category                   = "vmreach"
  display_name               = each.value.title
  query                      = each.value.query
}

resource "azurerm_application_insights_workbook" "this" {
  count = var.enable_workbook ? 1 : 0

  # A workbook's name is a GUID: of this deployment, and always the same.
  name                = uuidv5("url", "${azurerm_resource_group.this.id}/${var.name}")
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  display_name        = var.name
  source_id           = lower(azurerm_log_analytics_workspace.this.id)
  data_json = jsonencode(merge(jsondecode(file("${local.shared}/workbook.json")), {
    fallbackResourceIds = [azurerm_log_analytics_workspace.this.id]
  }))
  tags = var.tags
}
