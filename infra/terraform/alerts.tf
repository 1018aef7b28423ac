# Who is called when an alert fires, and what watches this subscription.

resource "azurerm_monitor_action_group" "vmreach" {
  name                = "ag-${var.name}"
  resource_group_name = azurerm_resource_group.this.name
  short_name          = substr(var.name, 0, 12)
  tags                = var.tags

  dynamic "azure_function_receiver" {
    for_each = local.secure_webhook ? [] : [1]
    content {
      name                     = "alerts"
      function_app_resource_id = azurerm_function_app_flex_consumption.this.id
      function_name            = "alerts"
      http_trigger_url         = "${local.alert_endpoint}?code=${local.alert_key}"
      use_common_alert_schema  = true
    }
  }

  # With a token of Entra ID, and still with the key: the host asks for one whatever stands before it.
  dynamic "webhook_receiver" {
    for_each = local.secure_webhook ? [1] : []
    content {
      name                    = "alerts"
      service_uri             = "${local.alert_endpoint}?code=${local.alert_key}"
      use_common_alert_schema = true

      aad_auth {
        object_id      = var.entra_object_id
        identifier_uri = var.entra_identifier_uri
        tenant_id      = data.azurerm_client_config.current.tenant_id
      }
    }
  }
}

resource "azurerm_monitor_action_group" "operators" {
  count = local.has_operators ? 1 : 0

  name                = "ag-${var.name}-operators"
  resource_group_name = azurerm_resource_group.this.name
  short_name          = substr("ops-${var.name}", 0, 12)
  tags                = var.tags

  dynamic "email_receiver" {
    for_each = var.operator_emails
    content {
      name                    = "operator-${email_receiver.key}"
      email_address           = email_receiver.value
      use_common_alert_schema = true
    }
  }
}

# What the app's own logs tell about it: for the operators, so only where there are some.
resource "azurerm_monitor_scheduled_query_rules_alert_v2" "this" {
  for_each = { for key, rule in local.alerts.log : key => rule if local.has_operators }

  name                = "${var.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  display_name        = "${var.name}-${each.key}"
  description         = each.value.description
  tags                = var.tags

  scopes                  = [azurerm_log_analytics_workspace.this.id]
  severity                = each.value.severity
  window_duration         = each.value.window
  evaluation_frequency    = each.value.frequency
  auto_mitigation_enabled = true
  # The tables are there once the app has run.
  skip_query_validation = true

  criteria {
    query                   = local.queries[each.value.query].query
    time_aggregation_method = "Count"
    operator                = each.value.operator
    threshold               = each.value.threshold

    failing_periods {
      minimum_failing_periods_to_trigger_alert = 1
      number_of_evaluation_periods             = 1
    }
  }

  action {
    action_groups = [azurerm_monitor_action_group.operators[0].id]
  }
}

locals {
  # Spelt out, since it has to be known when planning: which rules there are depends on it.
  operators_id = local.has_operators ? join("/", [
    "/subscriptions/${local.subscription_id}/resourceGroups/${azurerm_resource_group.this.name}",
    "providers/Microsoft.Insights/actionGroups/${azurerm_monitor_action_group.operators[0].name}",
  ]) : ""
}

module "watch" {
  source = "./modules/watch"
  count  = var.watch ? 1 : 0

  name                = var.name
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  subscription_id           = local.subscription_id
  action_group_id           = azurerm_monitor_action_group.vmreach.id
  operators_action_group_id = local.operators_id
  identity_id               = azurerm_user_assigned_identity.this.id
  storage_account_id        = azurerm_storage_account.this.id
  queue_name                = azurerm_storage_queue.this["diagnosis-requests"].name
  workspace_id              = azurerm_log_analytics_workspace.this.id

  events                         = var.events
  watched_regions                = coalesce(var.watched_regions, [var.location])
  maintenance                    = var.maintenance
  connection_tests               = var.connection_tests
  connection_test_region         = coalesce(var.connection_test_region, var.location)
  network_watcher_name           = var.network_watcher_name
  network_watcher_resource_group = var.network_watcher_resource_group

  # Event Grid tries the queue with the identity's rights.
  depends_on = [azurerm_role_assignment.storage]
}
