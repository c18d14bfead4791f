"""The dashboard: what the tap sees, served to browsers and programs on this machine."""
