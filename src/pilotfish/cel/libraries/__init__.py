"""What Kubernetes adds to CEL's functions, one library a file.

https://kubernetes.io/docs/reference/using-api/cel/
"""
