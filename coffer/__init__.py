"""What all processes of Coffer share: settings, records, operations, catalogue, secrets."""

__version__ = "0.1.0"
