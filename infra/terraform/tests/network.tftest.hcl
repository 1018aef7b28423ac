# Who may reach what.

mock_provider "azurerm" {
  source = "./tests/mocks"
}

variables {
  location = "westeurope"
  scopes   = ["00000000-0000-0000-0000-000000000001"]
}

run "public" {
  command = plan

  assert {
    condition     = length(azurerm_virtual_network.this) + length(azurerm_subnet.this) + length(azurerm_network_security_group.this) + length(azurerm_private_endpoint.this) + length(azurerm_private_dns_zone.this) == 0
    error_message = "There must be no network unless asked."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.virtual_network_subnet_id == null && azurerm_storage_account.this.network_rules[0].default_action == "Allow" && azurerm_key_vault.this.network_acls[0].default_action == "Allow"
    error_message = "Without a network the app must reach its storage and vault."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.site_config[0].ip_restriction_default_action == "Deny" && azurerm_function_app_flex_consumption.this.site_config[0].ip_restriction[*].service_tag == tolist(["ActionGroup"])
    error_message = "Only Azure Monitor may call the alert endpoint."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.site_config[0].scm_ip_restriction_default_action == "Allow" && !azurerm_function_app_flex_consumption.this.site_config[0].scm_use_main_ip_restriction
    error_message = "Code must be deployable."
  }

  assert {
    condition     = length(azurerm_function_app_flex_consumption.this.auth_settings_v2) == 0
    error_message = "Entra ID must not stand before the endpoint unless asked."
  }
}

run "private" {
  command = apply

  variables {
    private_network    = true
    deployer_addresses = ["203.0.113.7/32", "198.51.100.0/24"]
    alert_addresses    = ["192.0.2.0/24"]
  }

  assert {
    condition     = keys(azurerm_subnet.this) == ["functions", "private-endpoints"] && azurerm_subnet.this["functions"].address_prefixes == tolist(["10.90.0.0/25"]) && azurerm_subnet.this["private-endpoints"].address_prefixes == tolist(["10.90.0.128/25"])
    error_message = "There must be one subnet for the app and one for the endpoints."
  }

  assert {
    condition     = azurerm_subnet.this["functions"].delegation[0].service_delegation[0].name == "Microsoft.App/environments" && length(azurerm_subnet.this["private-endpoints"].delegation) == 0
    error_message = "The app's subnet must be delegated, as Flex Consumption wants it."
  }

  assert {
    condition     = keys(azurerm_subnet_network_security_group_association.this) == ["functions", "private-endpoints"]
    error_message = "Each subnet must have an NSG."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.virtual_network_subnet_id == azurerm_subnet.this["functions"].id && jsondecode(azurerm_resource_group_template_deployment.site.parameters_content).properties.value.virtualNetworkSubnetId == azurerm_subnet.this["functions"].id
    error_message = "The app must go out through the network."
  }

  assert {
    condition     = { for key, endpoint in azurerm_private_endpoint.this : key => endpoint.private_service_connection[0].subresource_names[0] } == { blob = "blob", queue = "queue", table = "table", vault = "vault" }
    error_message = "Blobs, queues, tables and the vault must each have an endpoint."
  }

  assert {
    condition     = toset(values(azurerm_private_dns_zone.this)[*].name) == toset(["privatelink.blob.core.windows.net", "privatelink.queue.core.windows.net", "privatelink.table.core.windows.net", "privatelink.vaultcore.azure.net"]) && length(azurerm_private_dns_zone_virtual_network_link.this) == 4
    error_message = "Each endpoint must have its zone, linked to the network."
  }

  assert {
    condition     = azurerm_storage_account.this.network_rules[0].default_action == "Deny" && azurerm_storage_account.this.network_rules[0].bypass == toset(["AzureServices"]) && azurerm_storage_account.this.network_rules[0].ip_rules == toset(["203.0.113.7", "198.51.100.0/24"])
    error_message = "Storage must refuse all but Azure's trusted services and the deployer."
  }

  assert {
    condition     = azurerm_key_vault.this.network_acls[0].default_action == "Deny" && azurerm_key_vault.this.network_acls[0].bypass == "AzureServices" && azurerm_key_vault.this.network_acls[0].ip_rules == toset(["203.0.113.7/32", "198.51.100.0/24"])
    error_message = "The vault must refuse all but Azure's trusted services and the deployer."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.site_config[0].ip_restriction[1].ip_address == "192.0.2.0/24" && azurerm_function_app_flex_consumption.this.site_config[0].ip_restriction[1].action == "Allow"
    error_message = "Further addresses must be let through to the endpoint where given."
  }
}

run "secure_webhook_in_another_cloud" {
  command = apply

  variables {
    private_network      = true
    cloud                = "china"
    entra_client_id      = "00000000-0000-0000-0000-0000000000c1"
    entra_object_id      = "00000000-0000-0000-0000-0000000000c2"
    entra_identifier_uri = "api://vmreach"
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.auth_settings_v2[0].auth_enabled && azurerm_function_app_flex_consumption.this.auth_settings_v2[0].require_authentication && azurerm_function_app_flex_consumption.this.auth_settings_v2[0].unauthenticated_action == "Return401"
    error_message = "Calls without a token must be refused."
  }

  assert {
    condition     = azurerm_function_app_flex_consumption.this.auth_settings_v2[0].active_directory_v2[0].allowed_applications == tolist(["461e8683-5575-4561-ac7f-899cc907d62a"]) && azurerm_function_app_flex_consumption.this.auth_settings_v2[0].active_directory_v2[0].allowed_audiences == tolist(["api://vmreach", "00000000-0000-0000-0000-0000000000c1"])
    error_message = "Only Azure Monitor's application may call, with a token for this one."
  }

  assert {
    condition     = length(azurerm_monitor_action_group.vmreach.azure_function_receiver) == 0 && azurerm_monitor_action_group.vmreach.webhook_receiver[0].aad_auth[0].object_id == "00000000-0000-0000-0000-0000000000c2" && azurerm_monitor_action_group.vmreach.webhook_receiver[0].aad_auth[0].identifier_uri == "api://vmreach"
    error_message = "The action group must call with a token."
  }

  assert {
    condition     = nonsensitive(endswith(azurerm_monitor_action_group.vmreach.webhook_receiver[0].service_uri, "/api/alerts?code=${terraform_data.alert_key.triggers_replace}"))
    error_message = "The action group must call with the key as well."
  }

  assert {
    condition     = toset(values(azurerm_private_dns_zone.this)[*].name) == toset(["privatelink.blob.core.chinacloudapi.cn", "privatelink.queue.core.chinacloudapi.cn", "privatelink.table.core.chinacloudapi.cn", "privatelink.vaultcore.azure.cn"])
    error_message = "Zones must be the cloud's own."
  }
  assert {
    condition     = azurerm_function_app_flex_consumption.this.auth_settings_v2[0].active_directory_v2[0].tenant_auth_endpoint == "https://login.partner.microsoftonline.cn/00000000-0000-0000-0000-00000000000a/v2.0"
    error_message = "Tokens must be the cloud's own."
  }
}
