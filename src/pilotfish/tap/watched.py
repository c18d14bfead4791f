"""What a run of the tap watches, said before the first request comes.

Silence has many reasons. So the tap says where it looks, and which of the things that were named
are not there.
"""

from __future__ import annotations

from collections.abc import Sequence

from pilotfish.client.api import Client
from pilotfish.client.errors import Forbidden, NotFound
from pilotfish.objects.meta import name_of
from pilotfish.tap.selection import name_pattern


def watched(namespace: str, names: Sequence[str], filter_text: str = "") -> str:
    """One line: what is watched.

    Args:
        namespace: where; "" for everywhere.
        names: of Pods and Services, or regular expressions; none for all.
        filter_text: a further condition.
    """
    where = f"namespace {namespace}" if namespace else "all namespaces"
    what = f"requests of {', '.join(names)} in {where}" if names else f"requests in {where}"
    such = f" where {filter_text.strip()}" if filter_text.strip() else ""
    return f"watching {what}{such}; Ctrl-C ends"


async def absent(client: Client, namespace: str, names: Sequence[str]) -> list[str]:
    """A line for each thing that was named and is not there now.

    What the viewer may not list counts as there.

    Raises:
        ApiError, Unreachable: the API server does not answer.
    """
    if namespace:
        try:
            await client.get("namespaces", namespace)
        except NotFound:
            return [f'there is no namespace "{namespace}" yet']
        except Forbidden:
            pass  # whoever may look at requests need not see namespaces
    if not names:
        return []
    # RE2 is for those who name something only.
    from pilotfish.cel.regex import RegexError, searcher

    try:
        meant = {name: searcher(name_pattern([name])) for name in names}
        known = [
            name_of(each)
            for kind in ("pods", "services")
            for each in (await client.list(kind, namespace))["items"]
        ]
    except (Forbidden, RegexError):
        return []  # the evaluation of the expression says what is wrong with it
    where = f' in namespace "{namespace}"' if namespace else ""
    return [
        f'there is no Pod or Service "{name}"{where} yet'
        for name, means in meant.items()
        if not any(map(means, known))
    ]
