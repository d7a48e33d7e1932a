"""One file a noun; a responder parses, calls and answers."""
