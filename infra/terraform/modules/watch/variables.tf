variable "name" {
  description = "What the rules are named after."
  type        = string
  nullable    = false
}

variable "subscription_id" {
  description = "The subscription to watch: the provider's."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "subscription_id: must be a subscription's id, such as 00000000-0000-0000-0000-000000000000."
  }
}

variable "resource_group_name" {
  description = "The resource group for what is made here, in the watched subscription. It must be there."
  type        = string
  nullable    = false
}

variable "location" {
  description = "The region that watched_regions and connection_test_region default to."
  type        = string
  nullable    = false
}

variable "tags" {
  description = "Tags for everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

variable "action_group_id" {
  description = "The action group that calls vmreach."
  type        = string
  nullable    = false
}

variable "operators_action_group_id" {
  description = "The action group of the operators, known when planning. Empty: none, and then no rules whose alerts only operators want."
  type        = string
  default     = ""
  nullable    = false
}

variable "identity_id" {
  description = "The app's user-assigned identity: Event Grid writes to the queue with it."
  type        = string
  nullable    = false
}

variable "storage_account_id" {
  description = "The app's storage account."
  type        = string
  nullable    = false
}

variable "queue_name" {
  description = "The queue that events go to."
  type        = string
  default     = "diagnosis-requests"
  nullable    = false
}

variable "workspace_id" {
  description = "The Log Analytics workspace that Connection Monitor writes results to. Empty: none."
  type        = string
  default     = ""
  nullable    = false
}

variable "events" {
  description = "Whether Event Grid tells of failed NICs. Azure allows one system topic a subscription: false where there is one; the alert rule and the sweep find them too."
  type        = bool
  default     = true
  nullable    = false
}

variable "watched_regions" {
  description = "Regions whose VMs the availability alert watches. Default: location."
  type        = list(string)
  default     = null
}

variable "maintenance" {
  description = "A window in which alerts call nobody: once ({start, end}) or each week ({days, start_time, end_time}); time_zone is a Windows name, such as 'W. Europe Standard Time'."
  type = object({
    start      = optional(string)
    end        = optional(string)
    days       = optional(list(string))
    start_time = optional(string)
    end_time   = optional(string)
    time_zone  = optional(string, "UTC")
  })
  default = null

  validation {
    condition = var.maintenance == null || try(
      (var.maintenance.start != null && var.maintenance.end != null) != (var.maintenance.days != null && var.maintenance.start_time != null && var.maintenance.end_time != null),
    false)
    error_message = "maintenance: must be {start, end} or {days, start_time, end_time}."
  }
}

variable "connection_tests" {
  description = "What Connection Monitor tests: from a VM (source_id) to a VM (destination_id) or an address (destination_address). Empty: no Connection Monitor."
  type = list(object({
    name                = string
    source_id           = string
    destination_id      = optional(string)
    destination_address = optional(string)
    port                = number
    protocol            = optional(string, "Tcp")
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for test in var.connection_tests : (test.destination_id == null) != (test.destination_address == null)])
    error_message = "connection_tests: each must have destination_id or destination_address, and not both."
  }

  validation {
    condition     = alltrue([for test in var.connection_tests : test.protocol == "Tcp" && test.port >= 1 && test.port <= 65535])
    error_message = "connection_tests: protocol must be Tcp, and port 1 to 65535."
  }
}

variable "connection_test_region" {
  description = "The region of the tested VMs, and so of the Network Watcher. Default: location."
  type        = string
  default     = null
}

variable "network_watcher_name" {
  description = "The Network Watcher of that region. Default: NetworkWatcher_<region>, as Azure names it."
  type        = string
  default     = null
}

variable "network_watcher_resource_group" {
  description = "The resource group of the Network Watcher."
  type        = string
  default     = "NetworkWatcherRG"
  nullable    = false
}
