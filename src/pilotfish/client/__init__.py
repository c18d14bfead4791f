"""The Kubernetes API from the outside: requests, informer caches, kubeconfig and credentials."""
