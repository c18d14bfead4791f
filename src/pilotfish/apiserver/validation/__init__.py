"""Why an object is refused: pure checks in the words of kube-apiserver."""
