"""What a person pastes: commands of the Azure CLI, Bicep, and pages of the portal and of Microsoft Learn."""
