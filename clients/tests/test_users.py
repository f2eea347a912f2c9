"""contracts/accounts.md: who the users are."""

import pytest
from django.db import IntegrityError, transaction

from chatplatform.errors import DomainError
from clients import actions
from clients.models import User


@pytest.mark.contract("accounts: E-mail addresses are unique across")
def test_e_mail_addresses_are_unique_across_the_installation(acme, rival, api):
    """across clients, in any spelling; whose address it was goes on logging in"""
    maya = acme.users[0]
    for client in (acme.client, rival.client):
        for email in (maya.user.email, maya.user.email.upper()):
            with pytest.raises((IntegrityError, DomainError)), transaction.atomic():
                actions.create_user(client=client, name="Twin", email=email, password=maya.password)
    assert not User.objects.filter(name="Twin").exists()
    answer = api().post("/api/auth/token", {"email": maya.user.email.title(), "password": maya.password})
    assert answer.json()["user"]["uuid"] == str(maya.user.uuid)


@pytest.mark.contract("accounts: Users have a uuid, a name")
def test_a_user_belongs_to_one_client_and_a_superuser_to_none(acme, db):
    """the database itself holds it"""
    maya = acme.users[0].user
    root = User.objects.create_superuser("root", "root@example.com", "a long password")
    assert (maya.client, root.client) == (acme.client, None)
    for user, client in ((maya, None), (root, acme.client)):
        with pytest.raises(IntegrityError), transaction.atomic():
            User.objects.filter(pk=user.pk).update(client=client)
