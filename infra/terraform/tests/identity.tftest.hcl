# One identity, no keys, no passwords.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  location = "westeurope"
  scopes   = ["00000000-0000-0000-0000-000000000001"]
}

run "one_identity" {
  command = apply

  assert {
    condition     = azurerm_function_app_flex_consumption.this.identity[0].type == "UserAssigned"
    error_message = "The app must have a user-assigned identity only."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.storage_authentication_type == "UserAssignedIdentity" && azurerm_function_app_flex_consumption.this.storage_access_key == null
    error_message = "The app must read its code with its identity."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.https_only && !azurerm_function_app_flex_consumption.this.webdeploy_publish_basic_authentication_enabled
    error_message = "The app must take https only, and no password to publish."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.site_config[0].minimum_tls_version == "1.2" && azurerm_function_app_flex_consumption.this.site_config[0].scm_minimum_tls_version == "1.2"
    error_message = "The app must take TLS 1.2 at least."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.runtime_name == "python" && azurerm_function_app_flex_consumption.this.runtime_version == "3.13" && azurerm_service_plan.this.sku_name == "FC1"
    error_message = "The app must run Python 3.13 on Flex Consumption."
  }

  assert {
    condition     = !azurerm_storage_account.this.shared_access_key_enabled && !azurerm_storage_account.this.allow_nested_items_to_be_public && !azurerm_storage_account.this.local_user_enabled && azurerm_storage_account.this.min_tls_version == "TLS1_2"
    error_message = "The storage account must take no keys and no local users, and show nothing to the public."
  }

  assert {
    condition     = alltrue([for container in azurerm_storage_container.this : container.container_access_type == "private"])
    error_message = "Containers must be private."
  }

  assert {
    condition     = azurerm_key_vault.this.rbac_authorization_enabled && azurerm_key_vault.this.purge_protection_enabled
    error_message = "The vault must go by roles and be protected from purging."
  }

  assert {
    condition     = !azurerm_application_insights.this.local_authentication_enabled && !azurerm_log_analytics_workspace.this.local_authentication_enabled
    error_message = "Telemetry must be taken from Entra identities only."
  }

  assert {
    condition     = toset(keys(azurerm_role_assignment.storage)) == toset(["Storage Blob Data Owner", "Storage Queue Data Contributor", "Storage Table Data Contributor"])
    error_message = "The identity must have the three data roles on the storage account."
  }

  assert {
    condition     = azurerm_role_assignment.vault.role_definition_name == "Key Vault Secrets Officer" && azurerm_role_assignment.insights.role_definition_name == "Monitoring Metrics Publisher"
    error_message = "The identity must have its roles on the vault and on Application Insights."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.identity[0].identity_ids == toset([azurerm_user_assigned_identity.this.id]) && azurerm_function_app_flex_consumption.this.storage_user_assigned_identity_id == azurerm_user_assigned_identity.this.id
    error_message = "The app must have the one identity, and read its code with it."
  }

  assert {
    condition     = jsondecode(azurerm_resource_group_template_deployment.site.parameters_content).properties.value.keyVaultReferenceIdentity == azurerm_user_assigned_identity.this.id
    error_message = "References to Key Vault must be read with the one identity."
  }

  assert {
    condition     = jsondecode(azurerm_resource_group_template_deployment.site.parameters_content).identityId.value == azurerm_user_assigned_identity.this.id && [for resource in jsondecode(azurerm_resource_group_template_deployment.site.template_content).resources : resource.identity.type if resource.type == "Microsoft.Web/sites"] == ["UserAssigned"]
    error_message = "Putting the app once more must leave it its one identity."
  }

  assert {
    condition     = [for resource in jsondecode(azurerm_resource_group_template_deployment.site.template_content).resources : resource.properties.allow if resource.type == "Microsoft.Web/sites/basicPublishingCredentialsPolicies"] == [false]
    error_message = "FTP must take no password."
  }

  assert {
    condition     = alltrue([for assignment in concat(values(azurerm_role_assignment.storage), [azurerm_role_assignment.vault, azurerm_role_assignment.insights]) : assignment.principal_id == azurerm_user_assigned_identity.this.principal_id])
    error_message = "Roles must be given to the one identity."
  }

  assert {
    condition     = azurerm_key_vault_secret.alert_key.name == "function--alerts--actiongroup" && azurerm_key_vault_secret.alert_key.value == null
    error_message = "The key of the alert endpoint must be in the vault under the host's name for it, and not in the state of the secret."
  }

  assert {
    condition     = nonsensitive(length(terraform_data.alert_key.triggers_replace) == 64) && nonsensitive(azurerm_monitor_action_group.vmreach.azure_function_receiver[0].http_trigger_url == "https://vmreach.azurewebsites.net/api/alerts?code=${terraform_data.alert_key.triggers_replace}")
    error_message = "The action group must call the alert endpoint with its key."
  }
}
