"""How entries are shown and written: for terminals, programs, browsers."""
