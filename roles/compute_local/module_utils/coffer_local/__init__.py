"""What the modules of the local compute provider share. Standard library only."""
