"""contracts/mapping.md: who takes part."""

from itertools import product

import pytest
from django.db import IntegrityError, transaction

from conversations.models import Conversation, Participant


@pytest.mark.contract("mapping: A participant is exactly one of")
def test_a_participant_is_exactly_one_of_the_three(acme):
    """a user, a contact, an agent; the database itself holds it"""
    row = Conversation.objects.create(client=acme.client, channel="website")
    people = {"user": acme.users[0].user, "contact": acme.contacts[0], "agent": acme.agents[0]}
    for chosen in product([True, False], repeat=3):
        given = {kind: person for (kind, person), one in zip(people.items(), chosen, strict=True) if one}
        if len(given) == 1:
            assert Participant.objects.create(conversation=row, **given).person in people.values()
        else:
            with pytest.raises(IntegrityError), transaction.atomic():
                Participant.objects.create(conversation=row, **given)
    assert Participant.objects.count() == 3
