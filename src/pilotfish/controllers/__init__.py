"""The controllers: observed objects in, wanted objects out, one file each."""
