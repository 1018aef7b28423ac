# Each app setting: its default, what it is set to, and that it is left out when there is none.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  location = "westeurope"
  scopes   = ["00000000-0000-0000-0000-000000000001", "/providers/Microsoft.Management/managementGroups/platform"]
}

run "defaults" {
  command = apply

  assert {
    condition = local.app_settings == {
      AzureWebJobsStorage__blobServiceUri       = "https://stvmreach.blob.core.windows.net/"
      AzureWebJobsStorage__queueServiceUri      = "https://stvmreach.queue.core.windows.net/"
      AzureWebJobsStorage__tableServiceUri      = "https://stvmreach.table.core.windows.net/"
      AzureWebJobsStorage__credential           = "managedidentity"
      AzureWebJobsStorage__clientId             = "00000000-0000-0000-0000-00000000000e"
      AZURE_CLIENT_ID                           = "00000000-0000-0000-0000-00000000000e"
      APPLICATIONINSIGHTS_CONNECTION_STRING     = "InstrumentationKey=00000000-0000-0000-0000-00000000000f"
      APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=00000000-0000-0000-0000-00000000000e;Authorization=AAD"
      AzureWebJobsSecretStorageType             = "keyvault"
      AzureWebJobsSecretStorageKeyVaultUri      = "https://kv-vmreach.vault.azure.net/"
      AzureWebJobsSecretStorageKeyVaultClientId = "00000000-0000-0000-0000-00000000000e"
      VMREACH_SCOPES                            = "00000000-0000-0000-0000-000000000001,/providers/Microsoft.Management/managementGroups/platform"
      VMREACH_REMEDIATION_MODE                  = "dry-run"
      VMREACH_SWEEP_SCHEDULE                    = "0 */15 * * * *"
      VMREACH_AUDIT_SCHEDULE                    = "0 0 5 * * *"
      VMREACH_AUDIT_SEVERITY                    = "medium"
      VMREACH_REPORTS_CONTAINER                 = "reports"
      VMREACH_FINDINGS_QUEUE                    = "findings"
      VMREACH_INTERNET_TARGET                   = "www.microsoft.com:443"
      VMREACH_RUN_COMMAND                       = "off"
      VMREACH_CHECKS_PER_REGION                 = "4"
      VMREACH_RECHECK_MINUTES                   = "15"
      VMREACH_HISTORY_HOURS                     = "12"
      VMREACH_CLOUD                             = "public"
      VMREACH_POLL_SECONDS                      = "5"
      VMREACH_WAIT_SECONDS                      = "420"
    }
    error_message = "The app settings must be these and no others."
  }

  assert {
    condition     = jsondecode(azurerm_resource_group_template_deployment.site.parameters_content).appSettings.value == jsondecode(jsonencode(local.app_settings))
    error_message = "The app must end up with these settings, without AzureWebJobsStorage."
  }

  assert {
    condition = merge(
      azurerm_function_app_flex_consumption.this.app_settings,
      { APPLICATIONINSIGHTS_CONNECTION_STRING = azurerm_function_app_flex_consumption.this.site_config[0].application_insights_connection_string },
    ) == local.app_settings
    error_message = "The app must be made with these settings."
  }

  assert {
    condition     = length(azurerm_key_vault_secret.webhook) == 0
    error_message = "Without a webhook there must be no secret of it."
  }

  assert {
    condition     = toset(keys(azurerm_storage_queue.this)) == toset(["diagnosis-requests", "diagnosis-requests-poison", "closure-requests", "closure-requests-poison", "remediation-requests", "remediation-requests-poison", "findings"])
    error_message = "The queues must be those that vmreach uses."
  }

  assert {
    condition     = toset(keys(azurerm_storage_table.this)) == toset(["vmreachrequests", "vmreachfindings", "vmreachalerts", "vmreachattempts", "vmreachjournal", "vmreachleases"])
    error_message = "The tables must be those that vmreach uses."
  }

  assert {
    condition     = toset(keys(azurerm_storage_container.this)) == toset(["app-package", "reports"]) && azurerm_storage_management_policy.this[0].rule[0].actions[0].base_blob[0].delete_after_days_since_modification_greater_than == 90
    error_message = "There must be a container for the code and one for reports, and old reports must go."
  }
}

run "set" {
  command = apply

  variables {
    remediation_mode      = "approve"
    sweep_schedule        = "0 */5 * * * *"
    audit_schedule        = "0 30 4 * * MON-FRI"
    audit_severity        = "off"
    audit_policy          = "@policy/audit.toml"
    reports_container     = "audits"
    findings_queue        = "told"
    teams_webhook_url     = "https://example.westeurope.logic.azure.com/workflows/1"
    internet_target       = "[2001:db8::1]:8443"
    run_command           = "on"
    checks_per_region     = 8
    recheck_minutes       = 0
    history_hours         = 24
    cloud                 = "usgovernment"
    arm_endpoint          = "https://management.usgovcloudapi.net"
    poll_seconds          = 2
    wait_seconds          = 300
    report_retention_days = 30
  }

  assert {
    condition = {
      for name, value in local.app_settings : name => value if startswith(name, "VMREACH_")
      } == {
      VMREACH_SCOPES            = "00000000-0000-0000-0000-000000000001,/providers/Microsoft.Management/managementGroups/platform"
      VMREACH_REMEDIATION_MODE  = "approve"
      VMREACH_SWEEP_SCHEDULE    = "0 */5 * * * *"
      VMREACH_AUDIT_SCHEDULE    = "0 30 4 * * MON-FRI"
      VMREACH_AUDIT_SEVERITY    = "off"
      VMREACH_AUDIT_POLICY      = "@policy/audit.toml"
      VMREACH_REPORTS_CONTAINER = "audits"
      VMREACH_FINDINGS_QUEUE    = "told"
      VMREACH_TEAMS_WEBHOOK_URL = "@Microsoft.KeyVault(SecretUri=https://kv-vmreach.vault.azure.net/secrets/teams-webhook-url)"
      VMREACH_INTERNET_TARGET   = "[2001:db8::1]:8443"
      VMREACH_RUN_COMMAND       = "on"
      VMREACH_CHECKS_PER_REGION = "8"
      VMREACH_RECHECK_MINUTES   = "0"
      VMREACH_HISTORY_HOURS     = "24"
      VMREACH_CLOUD             = "usgovernment"
      VMREACH_ARM_ENDPOINT      = "https://management.usgovcloudapi.net"
      VMREACH_POLL_SECONDS      = "2"
      VMREACH_WAIT_SECONDS      = "300"
    }
    error_message = "Each setting must be what its variable says."
  }

  assert {
    condition     = azurerm_key_vault_secret.webhook[0].name == "teams-webhook-url" && azurerm_key_vault_secret.webhook[0].value == null
    error_message = "The webhook must be in the vault, and not in the state."
  }

  assert {
    condition     = contains(keys(azurerm_storage_queue.this), "told") && contains(keys(azurerm_storage_container.this), "audits")
    error_message = "The queue and the container must be named as asked."
  }

  assert {
    condition     = azurerm_storage_management_policy.this[0].rule[0].filters[0].prefix_match == toset(["audits/"]) && azurerm_storage_management_policy.this[0].rule[0].actions[0].base_blob[0].delete_after_days_since_modification_greater_than == 30
    error_message = "Old reports must go after the days that were asked for, and nothing else."
  }

  assert {
    condition     = local.roles == { diagnose = false, remediate = true, guest = true }
    error_message = "approve writes, and on runs scripts: each must have its role."
  }
}

run "no_reports_and_a_long_name" {
  command = plan

  variables {
    name              = "network-reach-prod-x"
    reports_container = "off"
  }

  assert {
    condition     = local.settings.VMREACH_REPORTS_CONTAINER == "off" && toset(keys(azurerm_storage_container.this)) == toset(["app-package"]) && length(azurerm_storage_management_policy.this) == 0
    error_message = "With reports off there must be no container for them."
  }

  assert {
    condition     = can(regex("^[a-z0-9]{3,24}$", azurerm_storage_account.this.name)) && can(regex("^[a-z](-?[a-z0-9])+$", azurerm_key_vault.this.name)) && length(azurerm_key_vault.this.name) <= 24 && length(azurerm_function_app_flex_consumption.this.name) <= 60 && length(azurerm_monitor_action_group.vmreach.short_name) <= 12
    error_message = "The longest name must still make names that Azure takes."
  }
}
