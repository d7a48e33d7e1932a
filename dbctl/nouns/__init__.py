"""A file for each noun: its arguments and what its verbs do."""
