# The function app.

locals {
  # Everything the app is told.
  settings = {
    # Addresses, since the host takes an account's name for one in the public cloud.
    AzureWebJobsStorage__blobServiceUri       = azurerm_storage_account.this.primary_blob_endpoint
    AzureWebJobsStorage__queueServiceUri      = azurerm_storage_account.this.primary_queue_endpoint
    AzureWebJobsStorage__tableServiceUri      = azurerm_storage_account.this.primary_table_endpoint
    AzureWebJobsStorage__credential           = "managedidentity"
    AzureWebJobsStorage__clientId             = azurerm_user_assigned_identity.this.client_id
    AZURE_CLIENT_ID                           = azurerm_user_assigned_identity.this.client_id
    APPLICATIONINSIGHTS_CONNECTION_STRING     = azurerm_application_insights.this.connection_string
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING = "ClientId=${azurerm_user_assigned_identity.this.client_id};Authorization=AAD"
    AzureWebJobsSecretStorageType             = "keyvault"
    AzureWebJobsSecretStorageKeyVaultUri      = azurerm_key_vault.this.vault_uri
    AzureWebJobsSecretStorageKeyVaultClientId = azurerm_user_assigned_identity.this.client_id
    VMREACH_SCOPES                            = join(",", var.scopes)
    VMREACH_REMEDIATION_MODE                  = var.remediation_mode
    VMREACH_SWEEP_SCHEDULE                    = var.sweep_schedule
    VMREACH_AUDIT_SCHEDULE                    = var.audit_schedule
    VMREACH_AUDIT_SEVERITY                    = var.audit_severity
    VMREACH_AUDIT_POLICY                      = var.audit_policy
    VMREACH_REPORTS_CONTAINER                 = var.reports_container
    VMREACH_FINDINGS_QUEUE                    = var.findings_queue
    VMREACH_TEAMS_WEBHOOK_URL                 = "@Microsoft.KeyVault(SecretUri=${azurerm_key_vault.this.vault_uri}secrets/teams-webhook-url)"
    VMREACH_INTERNET_TARGET                   = var.internet_target
    VMREACH_RUN_COMMAND                       = var.run_command
    VMREACH_CHECKS_PER_REGION                 = tostring(var.checks_per_region)
    VMREACH_RECHECK_MINUTES                   = tostring(var.recheck_minutes)
    VMREACH_HISTORY_HOURS                     = tostring(var.history_hours)
    VMREACH_CLOUD                             = var.cloud
    VMREACH_ARM_ENDPOINT                      = var.arm_endpoint
    VMREACH_POLL_SECONDS                      = tostring(var.poll_seconds)
    VMREACH_WAIT_SECONDS                      = tostring(var.wait_seconds)
  }

  # What has no default and was not given is left out. By name, since not every value is known when planning.
  left_out = concat(
    var.audit_policy == "" ? ["VMREACH_AUDIT_POLICY"] : [],
    var.arm_endpoint == "" ? ["VMREACH_ARM_ENDPOINT"] : [],
    local.has_webhook ? [] : ["VMREACH_TEAMS_WEBHOOK_URL"],
  )
  app_settings = { for name, value in local.settings : name => value if !contains(local.left_out, name) }

  alert_endpoint = "https://${azurerm_function_app_flex_consumption.this.default_hostname}/api/alerts"
}

resource "azurerm_service_plan" "this" {
  #checkov:skip=CKV_AZURE_212:Flex Consumption scales by itself, and to nothing
  #checkov:skip=CKV_AZURE_225:alerts wait in their queue, and Azure Monitor tries again; one zone is enough
  name                = local.names.plan
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  os_type  = "Linux"
  sku_name = "FC1"
}

resource "azurerm_function_app_flex_consumption" "this" {
  name                = local.names.site
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  service_plan_id     = azurerm_service_plan.this.id
  tags                = var.tags

  runtime_name           = "python"
  runtime_version        = "3.13"
  instance_memory_in_mb  = var.instance_memory_mb
  maximum_instance_count = var.maximum_instance_count

  storage_container_type            = "blobContainer"
  storage_container_endpoint        = "${azurerm_storage_account.this.primary_blob_endpoint}${azurerm_storage_container.this[local.package].name}"
  storage_authentication_type       = "UserAssignedIdentity"
  storage_user_assigned_identity_id = azurerm_user_assigned_identity.this.id

  https_only                                     = true
  webdeploy_publish_basic_authentication_enabled = false
  public_network_access_enabled                  = true # Azure Monitor calls it
  # With a subnet, all that a Flex Consumption app sends goes through it.
  virtual_network_subnet_id = var.private_network ? azurerm_subnet.this["functions"].id : null

  # The provider keeps the connection string to itself, in site_config.
  app_settings = { for name, value in local.app_settings : name => value if name != "APPLICATIONINSIGHTS_CONNECTION_STRING" }

  identity {
    type         = "UserAssigned"
    identity_ids = [azurerm_user_assigned_identity.this.id]
  }

  site_config {
    application_insights_connection_string = local.app_settings.APPLICATIONINSIGHTS_CONNECTION_STRING
    http2_enabled                          = true
    minimum_tls_version                    = "1.2"
    scm_minimum_tls_version                = "1.2"

    # The only endpoint is the one for alerts.
    ip_restriction_default_action = "Deny"

    ip_restriction {
      name        = "action-groups"
      description = "Action groups of Azure Monitor call the alert endpoint"
      priority    = 100
      action      = "Allow"
      service_tag = "ActionGroup"
    }

    dynamic "ip_restriction" {
      for_each = var.alert_addresses
      content {
        name        = "address-${ip_restriction.key}"
        description = "May call the alert endpoint"
        priority    = 200 + ip_restriction.key
        action      = "Allow"
        ip_address  = ip_restriction.value
      }
    }

    # Code is deployed through the scm site: with a token of Entra ID, from anywhere.
    scm_use_main_ip_restriction       = false
    scm_ip_restriction_default_action = "Allow"
  }

  dynamic "auth_settings_v2" {
    for_each = local.secure_webhook ? [1] : []
    content {
      auth_enabled           = true
      require_authentication = true
      unauthenticated_action = "Return401"
      default_provider       = "azureactivedirectory"
      require_https          = true

      active_directory_v2 {
        client_id            = var.entra_client_id
        tenant_auth_endpoint = "${local.login_endpoints[var.cloud]}/${data.azurerm_client_config.current.tenant_id}/v2.0"
        allowed_audiences    = [var.entra_identifier_uri, var.entra_client_id]
        # Azure Monitor's own application: "AZNS AAD Webhook".
        allowed_applications = ["461e8683-5575-4561-ac7f-899cc907d62a"]
      }

      login {}
    }
  }

  # The host reads all of these when it starts.
  depends_on = [
    azurerm_role_assignment.storage,
    azurerm_role_assignment.vault,
    azurerm_role_assignment.insights,
    azurerm_key_vault_secret.alert_key,
    azurerm_key_vault_secret.webhook,
    azurerm_storage_queue.this,
    azurerm_storage_table.this,
    azurerm_private_endpoint.this,
    azurerm_private_dns_zone_virtual_network_link.this,
  ]
}

# What the resource above cannot say yet (hashicorp/terraform-provider-azurerm, issues 28928 and 29149):
#
# - that references to Key Vault are read with the user-assigned identity. Without it the app would look for a
#   system-assigned one, which it has not;
# - that there is no AzureWebJobsStorage. The provider always writes one, a connection string with an empty key, and the
#   host would prefer it to the addresses;
# - that FTP takes no password either.
#
# So the app is put once more, as it is, with the identity for references; and its settings are put as they are above,
# whole. The provider keeps the identity when it changes the app later, but not the settings: then this is done again.
resource "azurerm_resource_group_template_deployment" "site" {
  name                = "${local.names.site}-identity"
  resource_group_name = azurerm_resource_group.this.name
  deployment_mode     = "Incremental"
  tags                = var.tags

  template_content = file("${path.module}/site.json")

  parameters_content = jsonencode({
    name        = { value = azurerm_function_app_flex_consumption.this.name }
    location    = { value = azurerm_function_app_flex_consumption.this.location }
    tags        = { value = var.tags }
    identityId  = { value = azurerm_user_assigned_identity.this.id }
    appSettings = { value = local.app_settings }
    properties = { value = merge(
      {
        serverFarmId              = azurerm_function_app_flex_consumption.this.service_plan_id
        keyVaultReferenceIdentity = azurerm_user_assigned_identity.this.id
        httpsOnly                 = azurerm_function_app_flex_consumption.this.https_only
        publicNetworkAccess       = azurerm_function_app_flex_consumption.this.public_network_access_enabled ? "Enabled" : "Disabled"
        functionAppConfig = {
          deployment = {
            storage = {
              type  = azurerm_function_app_flex_consumption.this.storage_container_type
              value = azurerm_function_app_flex_consumption.this.storage_container_endpoint
              authentication = {
                type                           = azurerm_function_app_flex_consumption.this.storage_authentication_type
                userAssignedIdentityResourceId = azurerm_user_assigned_identity.this.id
              }
            }
          }
          runtime = {
            name    = azurerm_function_app_flex_consumption.this.runtime_name
            version = azurerm_function_app_flex_consumption.this.runtime_version
          }
          scaleAndConcurrency = {
            instanceMemoryMB     = azurerm_function_app_flex_consumption.this.instance_memory_in_mb
            maximumInstanceCount = azurerm_function_app_flex_consumption.this.maximum_instance_count
          }
        }
      },
      var.private_network ? { virtualNetworkSubnetId = azurerm_subnet.this["functions"].id } : {},
    ) }
  })

  lifecycle {
    replace_triggered_by = [azurerm_function_app_flex_consumption.this]
  }
}
