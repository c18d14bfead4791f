"""Images: unpacked layers on disk, and the machine's own file system as image `host`."""
