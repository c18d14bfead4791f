"""Container logs: from the container's pipes to files in CRI's format, and back to readers."""
