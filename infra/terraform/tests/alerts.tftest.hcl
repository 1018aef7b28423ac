# Alert rules, events and tests: what alerts.json says.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  location = "westeurope"
  scopes   = ["00000000-0000-0000-0000-000000000001"]

  # of modules/watch
  name                = "vmreach"
  subscription_id     = "00000000-0000-0000-0000-000000000002"
  resource_group_name = "rg-vmreach"
  action_group_id     = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Insights/actionGroups/ag-vmreach"
  identity_id         = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id-vmreach"
  storage_account_id  = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Storage/storageAccounts/stvmreach"
  workspace_id        = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.OperationalInsights/workspaces/log-vmreach"
}

run "rules" {
  command = apply

  module {
    source = "./modules/watch"
  }

  variables {
    operators_action_group_id = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg-vmreach/providers/Microsoft.Insights/actionGroups/ag-vmreach-operators"
    watched_regions           = ["westeurope", "northeurope"]
  }

  assert {
    condition     = toset(keys(azurerm_monitor_activity_log_alert.this)) == toset(keys(jsondecode(file("${path.module}/../../../shared/alerts.json")).activityLog))
    error_message = "There must be a rule for each of alerts.json."
  }

  assert {
    condition = alltrue([
      for key, rule in jsondecode(file("${path.module}/../../../shared/alerts.json")).activityLog :
      azurerm_monitor_activity_log_alert.this[key].description == rule.description
      && azurerm_monitor_activity_log_alert.this[key].criteria[0].category == rule.category
      && azurerm_monitor_activity_log_alert.this[key].criteria[0].operation_name == try(rule.operationName, null)
      && jsonencode(azurerm_monitor_activity_log_alert.this[key].criteria[0].statuses) == jsonencode(try(rule.statuses, null))
      && jsonencode(azurerm_monitor_activity_log_alert.this[key].criteria[0].resource_types) == jsonencode(try(rule.resourceTypes, null))
    ])
    error_message = "Each rule must ask what alerts.json says."
  }

  assert {
    condition = alltrue([
      for key, rule in jsondecode(file("${path.module}/../../../shared/alerts.json")).activityLog :
      azurerm_monitor_activity_log_alert.this[key].criteria[0].resource_health[0].current == toset(rule.resourceHealth.current)
      && azurerm_monitor_activity_log_alert.this[key].criteria[0].resource_health[0].previous == toset(rule.resourceHealth.previous)
      && azurerm_monitor_activity_log_alert.this[key].criteria[0].resource_health[0].reason == toset(rule.resourceHealth.reason)
      if can(rule.resourceHealth)
    ])
    error_message = "Rules of resource health must ask what alerts.json says."
  }

  assert {
    condition     = alltrue([for key, rule in jsondecode(file("${path.module}/../../../shared/alerts.json")).activityLog : azurerm_monitor_activity_log_alert.this[key].action[*].action_group_id == (rule.to == "vmreach" ? tolist([var.action_group_id]) : tolist([var.operators_action_group_id]))])
    error_message = "Each rule must call who alerts.json says."
  }

  assert {
    condition     = alltrue([for rule in azurerm_monitor_activity_log_alert.this : rule.scopes == toset(["/subscriptions/00000000-0000-0000-0000-000000000002"])])
    error_message = "Rules must watch the subscription."
  }

  assert {
    condition     = keys(azurerm_monitor_metric_alert.availability) == ["northeurope", "westeurope"] && alltrue([for region, rule in azurerm_monitor_metric_alert.availability : rule.target_resource_location == region && rule.target_resource_type == "Microsoft.Compute/virtualMachines" && rule.scopes == toset(["/subscriptions/00000000-0000-0000-0000-000000000002"])])
    error_message = "There must be a rule for the VMs of each watched region."
  }

  assert {
    condition = alltrue([
      for rule in azurerm_monitor_metric_alert.availability : {
        severity    = rule.severity
        window      = rule.window_size
        frequency   = rule.frequency
        namespace   = rule.criteria[0].metric_namespace
        metric      = rule.criteria[0].metric_name
        aggregation = rule.criteria[0].aggregation
        operator    = rule.criteria[0].operator
        threshold   = rule.criteria[0].threshold
      } == { for key, value in jsondecode(file("${path.module}/../../../shared/alerts.json")).metric["vm-availability"] : key => value if !contains(["description", "to", "resourceType", "dimensions"], key) }
    ])
    error_message = "The rule must ask what alerts.json says."
  }

  assert {
    condition     = length(azurerm_network_connection_monitor.this) == 0 && length(azurerm_monitor_metric_alert.connection_test) == 0 && length(azurerm_monitor_alert_processing_rule_suppression.maintenance) == 0
    error_message = "There must be no tests and no window unless asked."
  }

  assert {
    condition     = azurerm_eventgrid_system_topic.this[0].topic_type == "Microsoft.Resources.Subscriptions" && azurerm_eventgrid_system_topic.this[0].location == "global" && azurerm_eventgrid_system_topic.this[0].source_resource_id == "/subscriptions/00000000-0000-0000-0000-000000000002"
    error_message = "The topic must be the subscription's."
  }

  assert {
    condition     = azurerm_eventgrid_system_topic.this[0].identity[0].type == "UserAssigned" && azurerm_eventgrid_system_topic_event_subscription.this[0].delivery_identity[0].user_assigned_identity == var.identity_id
    error_message = "Events must be delivered with the app's identity."
  }

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.this[0].included_event_types == tolist(["Microsoft.Resources.ResourceWriteFailure"]) && azurerm_eventgrid_system_topic_event_subscription.this[0].advanced_filter[0].string_in[0].key == "data.operationName" && azurerm_eventgrid_system_topic_event_subscription.this[0].advanced_filter[0].string_in[0].values == tolist(["Microsoft.Network/networkInterfaces/write"])
    error_message = "Only failed writes of NICs must be told."
  }

  assert {
    condition     = azurerm_eventgrid_system_topic_event_subscription.this[0].storage_queue_endpoint[0].queue_name == "diagnosis-requests" && azurerm_eventgrid_system_topic_event_subscription.this[0].storage_queue_endpoint[0].storage_account_id == var.storage_account_id
    error_message = "Events must go to the queue of requests."
  }
}

run "tests_and_a_window" {
  command = apply

  module {
    source = "./modules/watch"
  }

  variables {
    maintenance = { start = "2026-12-05T22:00:00", end = "2026-12-06T04:00:00" }
    connection_tests = [
      {
        name           = "web-to-db"
        source_id      = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web"
        destination_id = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/db"
        port           = 1433
      },
      {
        name                = "web-to-internet"
        source_id           = "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/web"
        destination_address = "www.example.com"
        port                = 443
      },
    ]
  }

  assert {
    condition     = azurerm_network_connection_monitor.this[0].network_watcher_id == "/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/NetworkWatcherRG/providers/Microsoft.Network/networkWatchers/NetworkWatcher_westeurope"
    error_message = "The monitor must be in the region's Network Watcher."
  }

  assert {
    condition     = length(azurerm_network_connection_monitor.this[0].endpoint) == 4 && length(azurerm_network_connection_monitor.this[0].test_group) == 2 && toset([for endpoint in azurerm_network_connection_monitor.this[0].endpoint : endpoint.target_resource_type]) == toset(["AzureVM", "ExternalAddress"])
    error_message = "Each test must have its two ends."
  }

  assert {
    condition     = toset(azurerm_monitor_metric_alert.connection_test[0].criteria[0].dimension[*].name) == toset(jsondecode(file("${path.module}/../../../shared/alerts.json")).metric["connection-test"].dimensions)
    error_message = "The rule must split by what names the two ends."
  }

  assert {
    condition     = toset(keys(azurerm_monitor_activity_log_alert.this)) == toset([for key, rule in jsondecode(file("${path.module}/../../../shared/alerts.json")).activityLog : key if rule.to == "vmreach"])
    error_message = "Without operators there must be no rules for them."
  }

  assert {
    condition     = azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].effective_from == "2026-12-05T22:00:00" && azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].effective_until == "2026-12-06T04:00:00" && azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].time_zone == "UTC" && length(azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].recurrence) == 0
    error_message = "The window must be as asked, once."
  }
  assert {
    condition     = azurerm_monitor_alert_processing_rule_suppression.maintenance[0].scopes == tolist(["/subscriptions/00000000-0000-0000-0000-000000000002"]) && azurerm_monitor_alert_processing_rule_suppression.maintenance[0].condition[0].alert_rule_name[0].values == tolist(["vmreach-"])
    error_message = "Only alerts of vmreach's own rules must be silent."
  }
}

run "a_window_each_week_and_no_events" {
  command = apply

  module {
    source = "./modules/watch"
  }

  variables {
    events      = false
    maintenance = { days = ["Saturday"], start_time = "22:00:00", end_time = "04:00:00", time_zone = "W. Europe Standard Time" }
  }

  assert {
    condition     = azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].recurrence[0].weekly[0].days_of_week == tolist(["Saturday"]) && azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].time_zone == "W. Europe Standard Time" && azurerm_monitor_alert_processing_rule_suppression.maintenance[0].schedule[0].effective_from == null
    error_message = "The window must come each week as asked."
  }

  assert {
    condition     = length(azurerm_eventgrid_system_topic.this) + length(azurerm_eventgrid_system_topic_event_subscription.this) == 0
    error_message = "Where the subscription has a topic already, there must be no other."
  }
}

run "operators" {
  command = apply

  variables {
    operator_emails = ["ops@example.com", "network@example.com"]
  }

  assert {
    condition     = length(module.watch[0].alert_rules) == length(jsondecode(file("../shared/alerts.json")).activityLog) + 1
    error_message = "Rules for operators must be there where operators are."
  }

  assert {
    condition     = azurerm_monitor_action_group.operators[0].email_receiver[*].email_address == tolist(["ops@example.com", "network@example.com"])
    error_message = "Operators must be mailed."
  }

  assert {
    condition = alltrue([
      for key, rule in jsondecode(file("../shared/alerts.json")).log :
      azurerm_monitor_scheduled_query_rules_alert_v2.this[key].criteria[0].query == jsondecode(file("../shared/queries.json"))[rule.query].query
      && azurerm_monitor_scheduled_query_rules_alert_v2.this[key].criteria[0].operator == rule.operator
      && azurerm_monitor_scheduled_query_rules_alert_v2.this[key].criteria[0].threshold == rule.threshold
      && azurerm_monitor_scheduled_query_rules_alert_v2.this[key].severity == rule.severity
      && azurerm_monitor_scheduled_query_rules_alert_v2.this[key].window_duration == rule.window
      && azurerm_monitor_scheduled_query_rules_alert_v2.this[key].evaluation_frequency == rule.frequency
      && azurerm_monitor_scheduled_query_rules_alert_v2.this[key].action[0].action_groups == tolist([azurerm_monitor_action_group.operators[0].id])
    ])
    error_message = "Rules on logs must be those of alerts.json, with the queries of queries.json."
  }

  assert {
    condition     = toset(keys(azurerm_log_analytics_saved_search.this)) == toset(keys(jsondecode(file("../shared/queries.json"))))
    error_message = "Each query must be there to open."
  }

  assert {
    condition     = keys(azurerm_monitor_diagnostic_setting.this) == ["app", "blobs", "queues", "tables", "vault"] && alltrue([for setting in azurerm_monitor_diagnostic_setting.this : setting.log_analytics_workspace_id == azurerm_log_analytics_workspace.this.id])
    error_message = "App, storage and vault must log to the workspace."
  }

  assert {
    condition     = azurerm_monitor_diagnostic_setting.this["queues"].target_resource_id == "${azurerm_storage_account.this.id}/queueServices/default"
    error_message = "Each service of the storage account must log by itself."
  }
  assert {
    condition     = length(module.watch) == 1
    error_message = "The subscription must be watched unless told otherwise."
  }
}

run "watch_nothing" {
  command = plan

  variables {
    watch           = false
    enable_workbook = false
  }

  assert {
    condition     = length(module.watch) == 0 && length(azurerm_application_insights_workbook.this) == 0
    error_message = "Told so, nothing must be watched, and there must be no workbook."
  }

  assert {
    condition     = length(azurerm_monitor_action_group.operators) == 0 && length(azurerm_monitor_scheduled_query_rules_alert_v2.this) == 0
    error_message = "Without operators there must be no rules on logs."
  }
}
