output "alert_rules" {
  description = "The names of the alert rules that watch the subscription."
  value = concat(
    values(azurerm_monitor_activity_log_alert.this)[*].name,
    values(azurerm_monitor_metric_alert.availability)[*].name,
    azurerm_monitor_metric_alert.connection_test[*].name,
  )
}

output "system_topic_name" {
  description = "The Event Grid system topic of the subscription; empty without one."
  value       = join("", azurerm_eventgrid_system_topic.this[*].name)
}
