"""The HTTP face: Trove's v1.0 API, operations, the inventory, health, and the conductor."""
