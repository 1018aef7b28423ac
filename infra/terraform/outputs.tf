output "resource_group_name" {
  description = "The resource group of the app."
  value       = azurerm_resource_group.this.name
}

output "function_app_name" {
  description = "The function app: what code is deployed to."
  value       = azurerm_function_app_flex_consumption.this.name
}

output "alert_endpoint" {
  description = "Where alerts are posted to, without the key."
  value       = local.alert_endpoint
}

output "storage_account_name" {
  description = "The storage account with the queues, the tables and the reports."
  value       = azurerm_storage_account.this.name
}

output "storage_account_id" {
  description = "The storage account's id: what watches a further subscription wants it."
  value       = azurerm_storage_account.this.id
}

output "identity_id" {
  description = "The app's identity: what watches a further subscription wants it."
  value       = azurerm_user_assigned_identity.this.id
}

output "identity_principal_id" {
  description = "The app's identity, as role assignments name it."
  value       = azurerm_user_assigned_identity.this.principal_id
}

output "identity_client_id" {
  description = "The app's identity, as tokens name it."
  value       = azurerm_user_assigned_identity.this.client_id
}

output "action_group_id" {
  description = "The action group that calls the app: give it to alert rules of your own."
  value       = azurerm_monitor_action_group.vmreach.id
}

output "operators_action_group_id" {
  description = "The action group of the operators; empty without any."
  value       = local.operators_id
}

output "workspace_id" {
  description = "The Log Analytics workspace."
  value       = azurerm_log_analytics_workspace.this.id
}
