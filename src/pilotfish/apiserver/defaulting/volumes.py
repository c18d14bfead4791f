"""Defaults of a Pod's volumes."""

from __future__ import annotations

from typing import Any

from pilotfish.apiserver.defaulting import persistentvolumeclaims
from pilotfish.apiserver.defaulting.quantities import canonical

FILE_MODE = 0o644
TOKEN_EXPIRATION_S = 3600


def default_volume(volume: dict[str, Any]) -> None:
    if not volume.keys() - {"name"}:  # a name without a source means an empty folder
        volume["emptyDir"] = {}
        return
    for source in ("secret", "configMap", "downwardAPI", "projected"):
        if volume.get(source) is not None:
            volume[source].setdefault("defaultMode", FILE_MODE)
    if volume.get("downwardAPI") is not None:
        _default_items(volume["downwardAPI"])
    if volume.get("projected") is not None:
        for projection in volume["projected"].get("sources") or ():
            if "serviceAccountToken" in projection:
                token = projection["serviceAccountToken"]
                token.setdefault("expirationSeconds", TOKEN_EXPIRATION_S)
            if "downwardAPI" in projection:
                _default_items(projection["downwardAPI"])
    if volume.get("hostPath") is not None:
        volume["hostPath"].setdefault("type", "")
    if volume.get("emptyDir") and "sizeLimit" in volume["emptyDir"]:
        volume["emptyDir"]["sizeLimit"] = canonical(volume["emptyDir"]["sizeLimit"])
    if volume.get("iscsi") is not None:
        volume["iscsi"].setdefault("iscsiInterface", "default")
    if volume.get("ephemeral") and volume["ephemeral"].get("volumeClaimTemplate"):
        template = volume["ephemeral"]["volumeClaimTemplate"]
        persistentvolumeclaims.default_claim_spec(template.setdefault("spec", {}))


def _default_items(source: dict[str, Any]) -> None:
    for item in source.get("items") or ():
        if item.get("fieldRef") and not item["fieldRef"].get("apiVersion"):
            item["fieldRef"]["apiVersion"] = "v1"
        if item.get("resourceFieldRef"):
            item["resourceFieldRef"].setdefault("divisor", "0")
