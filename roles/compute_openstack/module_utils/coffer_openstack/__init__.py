"""What the modules of the OpenStack provider share."""
