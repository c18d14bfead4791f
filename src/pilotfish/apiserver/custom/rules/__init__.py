"""Rules of custom resources: `x-kubernetes-validations`, in CEL.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
("Validation rules"). What is here is imported with the first definition that has rules: the
language costs memory that a cluster without them should not pay.
"""
