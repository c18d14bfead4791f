"""Owner references: each owner is named once."""

from __future__ import annotations

import orjson

from pilotfish.objects.meta import Object


def drop_duplicate_owners(obj: Object, warnings: list[str] | None) -> None:
    """Keep one of equal owner references, in place.

    Args:
        warnings: gets kube-apiserver's words about it.
    """
    owners = obj["metadata"].get("ownerReferences") or []
    kept: dict[bytes, Object] = {}
    again: set[str] = set()
    for owner in owners:
        text = orjson.dumps(owner, option=orjson.OPT_SORT_KEYS)
        if text in kept:
            again.add(owner.get("uid", ""))
        kept[text] = owner
    if not again:
        return
    obj["metadata"]["ownerReferences"] = [*kept.values()]
    if warnings is not None:
        uids = " ".join(sorted(again))
        warnings.append(
            ".metadata.ownerReferences contains duplicate entries; API server dedups owner "
            "references in 1.20+, and may reject such requests as early as 1.24; please fix your "
            f"requests; duplicate UID(s) observed: [{uids}]"
        )
