# Tests of connections, where asked for, and the rule that calls vmreach when one fails.

locals {
  test_region = coalesce(var.connection_test_region, var.location)
  test_alert  = local.alerts.metric["connection-test"]

  # The Network Watcher is Azure's own, one in each region.
  network_watcher_id = join("", [
    local.subscription_scope,
    "/resourceGroups/${var.network_watcher_resource_group}",
    "/providers/Microsoft.Network/networkWatchers/${coalesce(var.network_watcher_name, "NetworkWatcher_${local.test_region}")}",
  ])
}

resource "azurerm_network_connection_monitor" "this" {
  count = length(var.connection_tests) > 0 ? 1 : 0

  name                          = var.name
  location                      = local.test_region
  network_watcher_id            = local.network_watcher_id
  output_workspace_resource_ids = var.workspace_id == "" ? null : [var.workspace_id]
  tags                          = var.tags

  dynamic "endpoint" {
    for_each = var.connection_tests
    content {
      name                 = "${endpoint.value.name}-source"
      target_resource_id   = endpoint.value.source_id
      target_resource_type = "AzureVM"
    }
  }

  dynamic "endpoint" {
    for_each = var.connection_tests
    content {
      name                 = "${endpoint.value.name}-destination"
      target_resource_id   = endpoint.value.destination_id
      address              = endpoint.value.destination_address
      target_resource_type = endpoint.value.destination_id == null ? "ExternalAddress" : "AzureVM"
    }
  }

  dynamic "test_configuration" {
    for_each = var.connection_tests
    content {
      name                      = test_configuration.value.name
      protocol                  = test_configuration.value.protocol
      test_frequency_in_seconds = 60

      tcp_configuration {
        port = test_configuration.value.port
      }
    }
  }

  dynamic "test_group" {
    for_each = var.connection_tests
    content {
      name                     = test_group.value.name
      source_endpoints         = ["${test_group.value.name}-source"]
      destination_endpoints    = ["${test_group.value.name}-destination"]
      test_configuration_names = [test_group.value.name]
    }
  }
}

resource "azurerm_monitor_metric_alert" "connection_test" {
  count = length(azurerm_network_connection_monitor.this)

  name                = "${var.name}-connection-test"
  resource_group_name = var.resource_group_name
  description         = local.test_alert.description
  scopes              = [azurerm_network_connection_monitor.this[0].id]
  severity            = local.test_alert.severity
  window_size         = local.test_alert.window
  frequency           = local.test_alert.frequency
  tags                = var.tags

  criteria {
    metric_namespace = local.test_alert.namespace
    metric_name      = local.test_alert.metric
    aggregation      = local.test_alert.aggregation
    operator         = local.test_alert.operator
    threshold        = local.test_alert.threshold
    # The metric is there once the first test has run.
    skip_metric_validation = true

    # Each of them, so that an alert names the two ends.
    dynamic "dimension" {
      for_each = local.test_alert.dimensions
      content {
        name     = dimension.value
        operator = "Include"
        values   = ["*"]
      }
    }
  }

  action {
    action_group_id = local.groups[local.test_alert.to]
  }
}
