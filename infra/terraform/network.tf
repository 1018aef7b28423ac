# The private network, where asked for: the app goes out through a virtual network, to private endpoints of its storage
# and its vault, which then refuse everybody else. Its own endpoint stays public: Azure Monitor calls from outside.

locals {
  # The first half for the app, the second for the endpoints.
  subnets = var.private_network ? {
    functions         = cidrsubnet(var.address_space, 1, 0)
    private-endpoints = cidrsubnet(var.address_space, 1, 1)
  } : {}

  dns_suffixes = {
    public       = { storage = "core.windows.net", vault = "vaultcore.azure.net" }
    usgovernment = { storage = "core.usgovcloudapi.net", vault = "vaultcore.usgovcloudapi.net" }
    china        = { storage = "core.chinacloudapi.cn", vault = "vaultcore.azure.cn" }
  }

  endpoints = var.private_network ? {
    blob  = { target = azurerm_storage_account.this.id, zone = "privatelink.blob.${local.dns_suffixes[var.cloud].storage}" }
    queue = { target = azurerm_storage_account.this.id, zone = "privatelink.queue.${local.dns_suffixes[var.cloud].storage}" }
    table = { target = azurerm_storage_account.this.id, zone = "privatelink.table.${local.dns_suffixes[var.cloud].storage}" }
    vault = { target = azurerm_key_vault.this.id, zone = "privatelink.${local.dns_suffixes[var.cloud].vault}" }
  } : {}
}

resource "azurerm_virtual_network" "this" {
  count = var.private_network ? 1 : 0

  name                = "vnet-${var.name}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = [var.address_space]
  tags                = var.tags
}

resource "azurerm_subnet" "this" {
  for_each = local.subnets

  name                 = each.key
  resource_group_name  = azurerm_resource_group.this.name
  virtual_network_name = azurerm_virtual_network.this[0].name
  address_prefixes     = [each.value]

  # So that the NSG holds for private endpoints too.
  private_endpoint_network_policies = each.key == "private-endpoints" ? "NetworkSecurityGroupEnabled" : "Disabled"
  default_outbound_access_enabled   = each.key != "private-endpoints"

  dynamic "delegation" {
    for_each = each.key == "functions" ? [1] : []
    content {
      name = "flex-consumption"
      service_delegation {
        name    = "Microsoft.App/environments"
        actions = ["Microsoft.Network/virtualNetworks/subnets/join/action"]
      }
    }
  }
}

resource "azurerm_network_security_group" "this" {
  for_each = local.subnets

  name                = "nsg-${var.name}-${trimprefix(each.key, "private-")}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = var.tags

  # Azure's own rules are enough for the functions: nothing comes in from the internet, and they call out only.
  dynamic "security_rule" {
    for_each = each.key == "private-endpoints" ? [1] : []
    content {
      name                       = "allow-functions"
      description                = "Functions call storage and vault."
      priority                   = 100
      direction                  = "Inbound"
      access                     = "Allow"
      protocol                   = "Tcp"
      source_address_prefix      = local.subnets["functions"]
      source_port_range          = "*"
      destination_address_prefix = each.value
      destination_port_range     = "443"
    }
  }

  dynamic "security_rule" {
    for_each = each.key == "private-endpoints" ? [1] : []
    content {
      name                       = "deny-all-else"
      description                = "Nobody else does."
      priority                   = 4096
      direction                  = "Inbound"
      access                     = "Deny"
      protocol                   = "*"
      source_address_prefix      = "*"
      source_port_range          = "*"
      destination_address_prefix = "*"
      destination_port_range     = "*"
    }
  }
}

resource "azurerm_subnet_network_security_group_association" "this" {
  for_each = local.subnets

  subnet_id                 = azurerm_subnet.this[each.key].id
  network_security_group_id = azurerm_network_security_group.this[each.key].id
}

resource "azurerm_private_dns_zone" "this" {
  for_each = local.endpoints

  name                = each.value.zone
  resource_group_name = azurerm_resource_group.this.name
  tags                = var.tags
}

resource "azurerm_private_dns_zone_virtual_network_link" "this" {
  for_each = local.endpoints

  name                 = azurerm_virtual_network.this[0].name
  private_dns_zone_id  = azurerm_private_dns_zone.this[each.key].id
  virtual_network_id   = azurerm_virtual_network.this[0].id
  registration_enabled = false
  tags                 = var.tags
}

resource "azurerm_private_endpoint" "this" {
  for_each = local.endpoints

  name                = "pep-${var.name}-${each.key}"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  subnet_id           = azurerm_subnet.this["private-endpoints"].id
  tags                = var.tags

  private_service_connection {
    name                           = each.key
    private_connection_resource_id = each.value.target
    subresource_names              = [each.key]
    is_manual_connection           = false
  }

  private_dns_zone_group {
    name                 = "default"
    private_dns_zone_ids = [azurerm_private_dns_zone.this[each.key].id]
  }

  depends_on = [azurerm_subnet_network_security_group_association.this]
}
