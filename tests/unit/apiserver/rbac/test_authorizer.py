"""Who a binding's subject is."""

from __future__ import annotations

import pytest

from pilotfish.apiserver.authentication import User
from pilotfish.apiserver.rbac.authorizer import is_subject
from pilotfish.objects.meta import Object

ROBOT = User("system:serviceaccount:a:robot", ("system:serviceaccounts", "system:authenticated"))


@pytest.mark.parametrize(
    ("subject", "is_robot"),
    [
        ({"kind": "User", "name": "system:serviceaccount:a:robot"}, True),
        ({"kind": "User", "name": "robot"}, False),
        ({"kind": "Group", "name": "system:authenticated"}, True),
        ({"kind": "Group", "name": "system:serviceaccount:a:robot"}, False),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "a"}, True),
        ({"kind": "ServiceAccount", "name": "robot", "namespace": "b"}, False),
        ({"kind": "ServiceAccount", "name": "robot"}, True),
        ({"kind": "Robot", "name": "robot"}, False),
    ],
)
def test_a_subject_is_a_user_a_group_or_an_account(subject: Object, is_robot: bool) -> None:
    assert is_subject(subject, ROBOT, "a") is is_robot
