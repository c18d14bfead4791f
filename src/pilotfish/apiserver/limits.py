"""How large a request's body may be, and how deeply nested."""

from __future__ import annotations

from typing import Final

# kube-apiserver's own limit, in bytes.
MAX_BODY: Final = 3 * 1024 * 1024
# kube-apiserver takes 10,000 levels. Here every reader and writer of objects has room for these,
# and no kind of object, custom ones included, comes near.
MAX_DEPTH: Final = 200
