"""The command line of Coffer: databases from a terminal. Talks HTTP only."""
