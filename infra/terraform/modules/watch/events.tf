# Failed NIC writes, as Azure Resource Manager tells them: straight to the queue, with the app's identity. Events that
# cannot be delivered for a day are dropped and not kept: the sweep finds the NIC anyway.

resource "azurerm_eventgrid_system_topic" "this" {
  count = var.events ? 1 : 0

  name                = "evgt-${var.name}"
  resource_group_name = var.resource_group_name
  location            = "global"
  topic_type          = "Microsoft.Resources.Subscriptions"
  source_resource_id  = local.subscription_scope
  tags                = var.tags

  identity {
    type         = "UserAssigned"
    identity_ids = [var.identity_id]
  }
}

resource "azurerm_eventgrid_system_topic_event_subscription" "this" {
  count = var.events ? 1 : 0

  name                = "nic-write-failed"
  resource_group_name = var.resource_group_name
  system_topic        = azurerm_eventgrid_system_topic.this[0].name

  included_event_types  = ["Microsoft.Resources.ResourceWriteFailure"]
  event_delivery_schema = "EventGridSchema"

  advanced_filter {
    string_in {
      key    = "data.operationName"
      values = ["Microsoft.Network/networkInterfaces/write"]
    }
  }

  delivery_identity {
    type                   = "UserAssigned"
    user_assigned_identity = var.identity_id
  }

  storage_queue_endpoint {
    storage_account_id = var.storage_account_id
    queue_name         = var.queue_name
  }

  retry_policy {
    max_delivery_attempts = 30
    event_time_to_live    = 1440
  }
}
