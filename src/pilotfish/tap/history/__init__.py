"""What was seen, kept for a while in the user's state folder: entries and packets."""
