"""Custom resources: what CustomResourceDefinitions add to the API while the server runs."""
