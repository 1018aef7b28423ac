terraform {
  # Write-only arguments (value_wo) keep secrets out of the state; they came with 1.11.
  required_version = ">= 1.11"

  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 5.0"
    }
  }
}
