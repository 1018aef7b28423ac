# What watches one subscription: alert rules, the window in which they call nobody, events of failed NIC writes, and
# tests of connections. There is no data source here: with depends_on on the module, one would be read during apply only,
# and what is named after it would be made anew each time.

locals {
  alerts = jsondecode(file("${path.module}/../../../shared/alerts.json"))

  subscription_scope = "/subscriptions/${var.subscription_id}"
  groups             = { vmreach = var.action_group_id, operators = var.operators_action_group_id }

  availability = local.alerts.metric["vm-availability"]
}

resource "azurerm_monitor_activity_log_alert" "this" {
  # A rule without an action tells nobody: those for operators are made where there are any.
  for_each = { for key, rule in local.alerts.activityLog : key => rule if rule.to == "vmreach" || var.operators_action_group_id != "" }

  name                = "${var.name}-${each.key}"
  resource_group_name = var.resource_group_name
  location            = "global"
  description         = each.value.description
  scopes              = [local.subscription_scope]
  tags                = var.tags

  criteria {
    category       = each.value.category
    operation_name = try(each.value.operationName, null)
    statuses       = try(each.value.statuses, null)
    resource_types = try(each.value.resourceTypes, null)

    dynamic "resource_health" {
      for_each = try([each.value.resourceHealth], [])
      content {
        current  = try(resource_health.value.current, null)
        previous = try(resource_health.value.previous, null)
        reason   = try(resource_health.value.reason, null)
      }
    }
  }

  action {
    action_group_id = local.groups[each.value.to]
  }
}

# One rule watches all VMs of a region, those to come as well.
resource "azurerm_monitor_metric_alert" "availability" {
  for_each = toset(coalesce(var.watched_regions, [var.location]))

  name                     = "${var.name}-vm-availability-${each.key}"
  resource_group_name      = var.resource_group_name
  description              = local.availability.description
  scopes                   = [local.subscription_scope]
  target_resource_type     = local.availability.resourceType
  target_resource_location = each.key
  severity                 = local.availability.severity
  window_size              = local.availability.window
  frequency                = local.availability.frequency
  tags                     = var.tags

  criteria {
    metric_namespace = local.availability.namespace
    metric_name      = local.availability.metric
    aggregation      = local.availability.aggregation
    operator         = local.availability.operator
    threshold        = local.availability.threshold

    dynamic "dimension" {
      for_each = local.availability.dimensions
      content {
        name     = dimension.value
        operator = "Include"
        values   = ["*"]
      }
    }
  }

  action {
    action_group_id = local.groups[local.availability.to]
  }
}

resource "azurerm_monitor_alert_processing_rule_suppression" "maintenance" {
  count = var.maintenance == null ? 0 : 1

  name                = "${var.name}-maintenance"
  resource_group_name = var.resource_group_name
  description         = "Alerts of vmreach call nobody while there is maintenance."
  scopes              = [local.subscription_scope]
  tags                = var.tags

  # The scope is of what alerts are about. Alerts of others, about the same machines, are not to be silenced.
  condition {
    alert_rule_name {
      operator = "Contains"
      values   = ["${var.name}-"]
    }
  }

  schedule {
    effective_from  = var.maintenance.start
    effective_until = var.maintenance.end
    time_zone       = var.maintenance.time_zone

    dynamic "recurrence" {
      for_each = var.maintenance.days == null ? [] : [1]
      content {
        weekly {
          days_of_week = var.maintenance.days
          start_time   = var.maintenance.start_time
          end_time     = var.maintenance.end_time
        }
      }
    }
  }
}
