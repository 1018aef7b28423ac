"""What keeps a VM from the internet: the default route, the way out, DNS and SNAT ports."""
