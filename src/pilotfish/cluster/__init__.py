"""A cluster on this machine: up, down, status; its processes and its state folder."""
