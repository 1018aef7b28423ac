locals {
  shared = "${path.module}/../shared"

  alerts  = jsondecode(file("${local.shared}/alerts.json"))
  queries = jsondecode(file("${local.shared}/queries.json"))

  subscription_id     = data.azurerm_client_config.current.subscription_id
  resource_group_name = coalesce(var.resource_group_name, "rg-${var.name}")

  # Names of storage accounts, vaults and sites are unique in all of Azure.
  suffix = substr(sha256("${local.subscription_id}/${local.resource_group_name}/${var.name}"), 0, 8)
  names = {
    identity  = "id-${var.name}"
    storage   = "st${substr(replace(var.name, "-", ""), 0, 14)}${local.suffix}"
    vault     = "kv-${trimsuffix(substr(var.name, 0, 12), "-")}-${local.suffix}"
    workspace = "log-${var.name}"
    insights  = "appi-${var.name}"
    plan      = "plan-${var.name}-${local.suffix}"
    site      = "func-${var.name}-${local.suffix}"
  }

  # Each queue that a function works from has a second one for messages that failed every try.
  work_queues = ["diagnosis-requests", "closure-requests", "remediation-requests"]
  queues      = toset(concat(local.work_queues, [for queue in local.work_queues : "${queue}-poison"], [var.findings_queue]))
  tables      = toset(["vmreachrequests", "vmreachfindings", "vmreachalerts", "vmreachattempts", "vmreachjournal", "vmreachleases"])
  package     = "app-package"
  reports     = toset(var.reports_container == "off" ? [] : [var.reports_container])

  # Whether there is a webhook is no secret, and decides which resources there are.
  has_webhook    = nonsensitive(var.teams_webhook_url != "")
  secure_webhook = var.entra_client_id != ""
  has_operators  = length(var.operator_emails) > 0

  roles = {
    diagnose  = var.assign_diagnose_role
    remediate = coalesce(var.assign_remediate_role, contains(["approve", "auto"], var.remediation_mode))
    guest     = coalesce(var.assign_guest_role, var.run_command == "on")
  }

  login_endpoints = {
    public       = "https://login.microsoftonline.com"
    usgovernment = "https://login.microsoftonline.us"
    china        = "https://login.partner.microsoftonline.cn"
  }

  resource_providers = [
    "Microsoft.AlertsManagement",
    "Microsoft.App", # the subnet of a Flex Consumption app is delegated to it
    "Microsoft.EventGrid",
    "Microsoft.Insights",
    "Microsoft.KeyVault",
    "Microsoft.ManagedIdentity",
    "Microsoft.Network",
    "Microsoft.OperationalInsights",
    "Microsoft.Storage",
    "Microsoft.Web",
  ]
}
