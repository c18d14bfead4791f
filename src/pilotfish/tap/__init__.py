"""What Kubeshark does: packets → streams → requests → who talked to whom."""
