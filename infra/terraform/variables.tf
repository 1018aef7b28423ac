# Where and under which name. -----------------------------------------------------------------------------------------

variable "subscription_id" {
  description = "The subscription to deploy to. Without it, ARM_SUBSCRIPTION_ID says which."
  type        = string
  default     = null

  validation {
    condition     = var.subscription_id == null || can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.subscription_id))
    error_message = "subscription_id: must be a subscription's id, such as 00000000-0000-0000-0000-000000000000."
  }
}

variable "register_resource_providers" {
  description = "Whether to register the resource providers that are needed. Takes the right to register on the subscription."
  type        = bool
  default     = true
  nullable    = false
}

variable "name" {
  description = "What everything is named after: 3 to 20 lower-case letters, digits and single dashes, with a letter first."
  type        = string
  default     = "vmreach"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z](-?[a-z0-9])+$", var.name)) && length(var.name) >= 3 && length(var.name) <= 20
    error_message = "name: must be 3 to 20 lower-case letters, digits and single dashes, with a letter first and no dash last."
  }
}

variable "location" {
  description = "The region of the app and of all that belongs to it, such as westeurope. It must offer Flex Consumption."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]+[a-z0-9]*$", var.location))
    error_message = "location: must be a region's name, such as westeurope."
  }
}

variable "resource_group_name" {
  description = "The resource group to make. Default: rg-<name>."
  type        = string
  default     = null

  validation {
    condition     = var.resource_group_name == null || can(regex("^[-\\w.()]{0,89}[-\\w()]$", var.resource_group_name))
    error_message = "resource_group_name: must be 1 to 90 letters, digits, dashes, underscores, dots and brackets, with no dot last."
  }
}

variable "tags" {
  description = "Tags for everything that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}

# The settings of docs/settings.md: VMREACH_SCOPES is scopes, and so on. ------------------------------------------------

variable "scopes" {
  description = "VMREACH_SCOPES: what vmreach may look at and touch. Subscription ids, ids of resource groups or resources, and /providers/Microsoft.Management/managementGroups/{name}."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.scopes) > 0
    error_message = "scopes: must name at least one subscription, resource group or management group."
  }

  validation {
    condition = alltrue([for scope in var.scopes : can(regex(join("|", [
      "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
      "^/subscriptions/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(/resource[gG]roups/[^/,;\\s]+(/providers/[^,;\\s]+)?)?$",
      "^/providers/[mM]icrosoft\\.[mM]anagement/management[gG]roups/[^/,;\\s]{1,90}$",
    ]), scope))])
    error_message = "scopes: each must be a subscription's id, /subscriptions/{id} with or without a resource group below it, or /providers/Microsoft.Management/managementGroups/{name}."
  }
}

variable "remediation_mode" {
  description = "VMREACH_REMEDIATION_MODE: what may be done about a failed NIC. off: nothing; dry-run: say what would be done; approve: do it when the request carries approvedBy; auto: do it."
  type        = string
  default     = "dry-run"
  nullable    = false

  validation {
    condition     = contains(["off", "dry-run", "approve", "auto"], var.remediation_mode)
    error_message = "remediation_mode: must be off, dry-run, approve or auto."
  }
}

variable "sweep_schedule" {
  description = "VMREACH_SWEEP_SCHEDULE: when to sweep for failed NICs. NCRONTAB with six fields, UTC."
  type        = string
  default     = "0 */15 * * * *"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9*/,A-Za-z-]+ ){5}[0-9*/,A-Za-z-]+$", var.sweep_schedule))
    error_message = "sweep_schedule: must be NCRONTAB with six fields (second minute hour day month weekday), such as '0 */15 * * * *'."
  }
}

variable "audit_schedule" {
  description = "VMREACH_AUDIT_SCHEDULE: when to audit everything in scope. NCRONTAB with six fields, UTC."
  type        = string
  default     = "0 0 5 * * *"
  nullable    = false

  validation {
    condition     = can(regex("^([0-9*/,A-Za-z-]+ ){5}[0-9*/,A-Za-z-]+$", var.audit_schedule))
    error_message = "audit_schedule: must be NCRONTAB with six fields (second minute hour day month weekday), such as '0 0 5 * * *'."
  }
}

variable "audit_severity" {
  description = "VMREACH_AUDIT_SEVERITY: findings of an audit at least as bad as this are told; off tells nothing."
  type        = string
  default     = "medium"
  nullable    = false

  validation {
    condition     = contains(["critical", "high", "medium", "low", "info", "off"], var.audit_severity)
    error_message = "audit_severity: must be critical, high, medium, low, info or off."
  }
}

variable "audit_policy" {
  description = "VMREACH_AUDIT_POLICY: what you decided about checks. TOML, or @ and the path of a file that is deployed with the app. Empty: none."
  type        = string
  default     = ""
  nullable    = false
}

variable "reports_container" {
  description = "VMREACH_REPORTS_CONTAINER: the blob container that reports of audits go to; off writes none."
  type        = string
  default     = "reports"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", var.reports_container)) && length(var.reports_container) >= 3 && length(var.reports_container) <= 63
    error_message = "reports_container: must be off, or 3 to 63 lower-case letters, digits and single dashes."
  }

  validation {
    condition     = var.reports_container != "app-package"
    error_message = "reports_container: app-package holds the deployed code."
  }
}

variable "findings_queue" {
  description = "VMREACH_FINDINGS_QUEUE: the queue that findings go to."
  type        = string
  default     = "findings"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9]+(-[a-z0-9]+)*$", var.findings_queue)) && length(var.findings_queue) >= 3 && length(var.findings_queue) <= 63
    error_message = "findings_queue: must be 3 to 63 lower-case letters, digits and single dashes."
  }

  validation {
    condition     = !can(regex("^(diagnosis|closure|remediation)-requests(-poison)?$", var.findings_queue))
    error_message = "findings_queue: vmreach itself works from that queue."
  }
}

variable "teams_webhook_url" {
  description = "VMREACH_TEAMS_WEBHOOK_URL: a Teams Workflows webhook. It goes to Key Vault, and the app setting refers to it there. Empty: findings go to the queue only."
  type        = string
  default     = ""
  nullable    = false
  sensitive   = true

  validation {
    condition     = var.teams_webhook_url == "" || can(regex("^https://[^/\\s@]+(/\\S*)?$", var.teams_webhook_url))
    error_message = "teams_webhook_url: must be an https address."
  }

  validation {
    condition     = !can(regex("(?i)^https://([^/]*\\.)?(webhook\\.office\\.com|outlook\\.office(365)?\\.com)[.]?([:/?]|$)", var.teams_webhook_url))
    error_message = "teams_webhook_url: this is an Office 365 connector, which Microsoft has retired. Make a webhook with Workflows in the channel."
  }
}

variable "internet_target" {
  description = "VMREACH_INTERNET_TARGET: host:port to probe when a VM's way to the internet is in question and the alert names no destination."
  type        = string
  default     = "www.microsoft.com:443"
  nullable    = false

  validation {
    condition     = can(regex("^[^\\s:/]+:[0-9]{1,5}$|^\\[[0-9A-Fa-f:.]+\\]:[0-9]{1,5}$", var.internet_target)) && try(tonumber(regex("[0-9]+$", var.internet_target)) >= 1 && tonumber(regex("[0-9]+$", var.internet_target)) <= 65535, false)
    error_message = "internet_target: must be host:port, such as www.microsoft.com:443."
  }
}

variable "run_command" {
  description = "VMREACH_RUN_COMMAND: on lets vmreach run scripts that only look in the guests of both ends, through Run Command, as root or System."
  type        = string
  default     = "off"
  nullable    = false

  validation {
    condition     = contains(["on", "off"], var.run_command)
    error_message = "run_command: must be on or off."
  }
}

variable "checks_per_region" {
  description = "VMREACH_CHECKS_PER_REGION: how many questions Network Watcher is asked at a time in one region of a subscription."
  type        = number
  default     = 4
  nullable    = false

  validation {
    condition     = var.checks_per_region >= 1 && var.checks_per_region <= 100 && floor(var.checks_per_region) == var.checks_per_region
    error_message = "checks_per_region: must be a whole number from 1 to 100."
  }
}

variable "recheck_minutes" {
  description = "VMREACH_RECHECK_MINUTES: how long after a diagnosis of a connection that fails it is made again; 0 for never."
  type        = number
  default     = 15
  nullable    = false

  validation {
    condition     = var.recheck_minutes >= 0 && var.recheck_minutes <= 1440 && floor(var.recheck_minutes) == var.recheck_minutes
    error_message = "recheck_minutes: must be a whole number from 0 to 1440."
  }
}

variable "history_hours" {
  description = "VMREACH_HISTORY_HOURS: how long before an alert to look in the activity log for who changed what."
  type        = number
  default     = 12
  nullable    = false

  validation {
    condition     = var.history_hours >= 1 && var.history_hours <= 2160 && floor(var.history_hours) == var.history_hours
    error_message = "history_hours: must be a whole number from 1 to 2160."
  }
}

variable "cloud" {
  description = "VMREACH_CLOUD, and the Azure cloud to deploy to: public, usgovernment or china."
  type        = string
  default     = "public"
  nullable    = false

  validation {
    condition     = contains(["public", "usgovernment", "china"], var.cloud)
    error_message = "cloud: must be public, usgovernment or china."
  }
}

variable "arm_endpoint" {
  description = "VMREACH_ARM_ENDPOINT: where Azure Resource Manager answers. Empty: where the cloud's does."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.arm_endpoint == "" || can(regex("^https://[^/\\s]+(/\\S*)?$", var.arm_endpoint))
    error_message = "arm_endpoint: must be an https address."
  }
}

variable "poll_seconds" {
  description = "VMREACH_POLL_SECONDS: between two looks at a running operation of Azure, where Azure does not say how long to wait."
  type        = number
  default     = 5
  nullable    = false

  validation {
    condition     = var.poll_seconds >= 1 && var.poll_seconds <= 3600 && floor(var.poll_seconds) == var.poll_seconds
    error_message = "poll_seconds: must be a whole number from 1 to 3600."
  }
}

variable "wait_seconds" {
  description = "VMREACH_WAIT_SECONDS: how long to wait for an operation of Azure to end."
  type        = number
  default     = 420
  nullable    = false

  validation {
    condition     = var.wait_seconds >= 1 && var.wait_seconds <= 720 && floor(var.wait_seconds) == var.wait_seconds
    error_message = "wait_seconds: must be a whole number from 1 to 720."
  }
}

# Roles. --------------------------------------------------------------------------------------------------------------

variable "role_scope" {
  description = "Where the custom roles are defined and assigned: a subscription's or a management group's id. Empty: the subscription deployed to."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.role_scope == "" || can(regex("^(/subscriptions/[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|/providers/Microsoft\\.Management/managementGroups/[^/\\s]{1,90})$", var.role_scope))
    error_message = "role_scope: must be /subscriptions/{id} or /providers/Microsoft.Management/managementGroups/{name}."
  }
}

variable "assign_diagnose_role" {
  description = "Whether to define the role that reads and asks Network Watcher, and to give it to the app. Without it vmreach sees nothing."
  type        = bool
  default     = false
  nullable    = false
}

variable "assign_remediate_role" {
  description = "Whether to define the role that writes failed NICs back, and to give it to the app. Default: where remediation_mode is approve or auto."
  type        = bool
  default     = null
}

variable "assign_guest_role" {
  description = "Whether to define the role that runs scripts in guests, and to give it to the app. Default: where run_command is on."
  type        = bool
  default     = null
}

# The app. ------------------------------------------------------------------------------------------------------------

variable "instance_memory_mb" {
  description = "Memory of an instance of the app in MB: 512, 2048 or 4096."
  type        = number
  default     = 2048
  nullable    = false

  validation {
    condition     = contains([512, 2048, 4096], var.instance_memory_mb)
    error_message = "instance_memory_mb: must be 512, 2048 or 4096."
  }
}

variable "maximum_instance_count" {
  description = "How many instances of the app there may be at most: 40 to 1000."
  type        = number
  default     = 40
  nullable    = false

  validation {
    condition     = var.maximum_instance_count >= 40 && var.maximum_instance_count <= 1000 && floor(var.maximum_instance_count) == var.maximum_instance_count
    error_message = "maximum_instance_count: must be a whole number from 40 to 1000."
  }
}

variable "report_retention_days" {
  description = "After how many days a report is deleted."
  type        = number
  default     = 90
  nullable    = false

  validation {
    condition     = var.report_retention_days >= 1 && var.report_retention_days <= 3650 && floor(var.report_retention_days) == var.report_retention_days
    error_message = "report_retention_days: must be a whole number from 1 to 3650."
  }
}

variable "log_retention_days" {
  description = "How many days the workspace keeps logs."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = var.log_retention_days >= 30 && var.log_retention_days <= 730 && floor(var.log_retention_days) == var.log_retention_days
    error_message = "log_retention_days: must be a whole number from 30 to 730."
  }
}

variable "daily_log_cap_gb" {
  description = "How many GB the workspace takes in a day at most; -1 for no limit."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.daily_log_cap_gb == -1 || (var.daily_log_cap_gb >= 1 && floor(var.daily_log_cap_gb) == var.daily_log_cap_gb)
    error_message = "daily_log_cap_gb: must be a whole number from 1, or -1 for no limit."
  }
}

variable "enable_workbook" {
  description = "Whether to deploy the workbook."
  type        = bool
  default     = true
  nullable    = false
}

# The network. --------------------------------------------------------------------------------------------------------

variable "private_network" {
  description = "Whether the app reaches its storage and vault through private endpoints in a virtual network of its own, and both refuse everything else."
  type        = bool
  default     = false
  nullable    = false
}

variable "address_space" {
  description = "The virtual network's addresses: a block of /24 to /16."
  type        = string
  default     = "10.90.0.0/24"
  nullable    = false

  validation {
    condition     = can(cidrhost(var.address_space, 0)) && can(regex("^[0-9.]+/(1[6-9]|2[0-4])$", var.address_space))
    error_message = "address_space: must be an IPv4 block of /24 to /16, such as 10.90.0.0/24."
  }
}

variable "deployer_addresses" {
  description = "Public addresses, as CIDR blocks, that may reach storage and vault while private_network is on: where you deploy from. Terraform writes the vault's secrets, so it needs this then."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for block in var.deployer_addresses : can(cidrhost(block, 0)) && can(regex("^[0-9.]+/([1-9]|[12][0-9]|30|32)$", block))])
    error_message = "deployer_addresses: each must be an IPv4 block such as 203.0.113.7/32; a storage account takes no /31."
  }
}

variable "alert_addresses" {
  description = "Addresses, as CIDR blocks, that may call the alert endpoint beside Azure Monitor (service tag ActionGroup)."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for block in var.alert_addresses : can(cidrhost(block, 0))])
    error_message = "alert_addresses: each must be a CIDR block such as 203.0.113.0/24."
  }
}

# Entra ID in front of the alert endpoint: all three, or none. ----------------------------------------------------------

variable "entra_client_id" {
  description = "Secure webhook: the application (client) id of the app registration that stands for the alert endpoint."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.entra_client_id == "" || can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.entra_client_id))
    error_message = "entra_client_id: must be an application (client) id."
  }

  validation {
    condition     = length(distinct([var.entra_client_id == "", var.entra_object_id == "", var.entra_identifier_uri == ""])) == 1
    error_message = "entra_client_id, entra_object_id and entra_identifier_uri: give all three or none."
  }
}

variable "entra_object_id" {
  description = "Secure webhook: the object id of that app registration's application, as the action group wants it."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.entra_object_id == "" || can(regex("^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$", var.entra_object_id))
    error_message = "entra_object_id: must be an object id."
  }
}

variable "entra_identifier_uri" {
  description = "Secure webhook: the application id URI of that app registration, such as api://00000000-0000-0000-0000-000000000000."
  type        = string
  default     = ""
  nullable    = false

  validation {
    condition     = var.entra_identifier_uri == "" || can(regex("^(api|https)://\\S+$", var.entra_identifier_uri))
    error_message = "entra_identifier_uri: must be an application id URI, such as api://00000000-0000-0000-0000-000000000000."
  }
}

# What watches this subscription. ---------------------------------------------------------------------------------------

variable "watch" {
  description = "Whether to deploy alert rules and events for the subscription deployed to."
  type        = bool
  default     = true
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

  validation {
    condition     = var.watched_regions == null || alltrue([for region in coalesce(var.watched_regions, []) : can(regex("^[a-z]+[a-z0-9]*$", region))])
    error_message = "watched_regions: each must be a region's name, such as westeurope."
  }
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
      (alltrue([for time in [var.maintenance.start, var.maintenance.end] : can(regex("^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}$", time))])
      && var.maintenance.days == null && var.maintenance.start_time == null && var.maintenance.end_time == null)
      ||
      (length(var.maintenance.days) > 0
        && alltrue([for day in var.maintenance.days : contains(["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"], day)])
        && alltrue([for time in [var.maintenance.start_time, var.maintenance.end_time] : can(regex("^\\d{2}:\\d{2}:\\d{2}$", time))])
      && var.maintenance.start == null && var.maintenance.end == null),
    false)
    error_message = "maintenance: must be {start, end} such as 2026-12-05T22:00:00, or {days, start_time, end_time} such as [\"Saturday\"], 22:00:00 and 04:00:00."
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

  validation {
    condition     = length(distinct(var.connection_tests[*].name)) == length(var.connection_tests) && length(var.connection_tests) <= 20
    error_message = "connection_tests: names must differ, and there may be 20 at most."
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

variable "operator_emails" {
  description = "Who gets the alerts about changes and about vmreach itself. Empty: nobody."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for address in var.operator_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", address))])
    error_message = "operator_emails: each must be an e-mail address."
  }
}
