# Secrets: the webhook of Teams, and the keys of the Functions host, which it reads and makes here.

resource "azurerm_key_vault" "this" {
  #checkov:skip=CKV_AZURE_189:private_network is the reader's choice; secrets take a role in any case
  #checkov:skip=CKV_AZURE_109:it refuses all else where private_network is on
  #checkov:skip=CKV2_AZURE_32:a private endpoint is there where private_network is on
  name                = local.names.vault
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
  soft_delete_retention_days = 7

  network_acls {
    default_action = var.private_network ? "Deny" : "Allow"
    bypass         = "AzureServices"
    ip_rules       = var.private_network ? var.deployer_addresses : []
  }
}

# Officer and not user: the host makes the keys that are not there.
resource "azurerm_role_assignment" "vault" {
  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = azurerm_user_assigned_identity.this.principal_id
  principal_type       = "ServicePrincipal"
}

# Whoever deploys writes secrets, and reads them at each plan. Deploy as one principal, or give the others this role.
resource "azurerm_role_assignment" "deployer" {
  scope                = azurerm_key_vault.this.id
  role_definition_name = "Key Vault Secrets Officer"
  principal_id         = data.azurerm_client_config.current.object_id
}

# The key that Azure Monitor calls the alert endpoint with. It is made once;
# `terraform apply -replace=terraform_data.alert_key` makes another, here and in the action group at once. Restart the app
# then: the host keeps keys in memory.
resource "terraform_data" "alert_key" {
  # Not input: its copy in output would be shown in plain when the key is replaced.
  triggers_replace = sensitive(replace("${uuid()}${uuid()}", "-", ""))

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

locals {
  alert_key = sensitive(terraform_data.alert_key.triggers_replace)
}

# The host's name for the key "actiongroup" of the function "alerts".
resource "azurerm_key_vault_secret" "alert_key" {
  #checkov:skip=CKV_AZURE_41:the host does not heed such a date; the key is replaced on purpose, as above
  name             = "function--alerts--actiongroup"
  key_vault_id     = azurerm_key_vault.this.id
  content_type     = "text/plain"
  value_wo         = local.alert_key
  value_wo_version = parseint(substr(sha256(nonsensitive(local.alert_key)), 0, 8), 16)

  # Last of all, since a new role assignment takes a while to be known to the vault.
  depends_on = [
    azurerm_role_assignment.deployer,
    azurerm_application_insights.this,
    azurerm_storage_management_policy.this,
    azurerm_private_endpoint.this,
  ]
}

resource "azurerm_key_vault_secret" "webhook" {
  #checkov:skip=CKV_AZURE_41:a Teams webhook has no day that it ends on
  count = local.has_webhook ? 1 : 0

  name         = "teams-webhook-url"
  key_vault_id = azurerm_key_vault.this.id
  content_type = "text/plain"
  value_wo     = var.teams_webhook_url
  # Another address, another number: so that it is written again then, and only then.
  value_wo_version = parseint(substr(nonsensitive(sha256(var.teams_webhook_url)), 0, 8), 16)

  depends_on = [azurerm_key_vault_secret.alert_key]
}
