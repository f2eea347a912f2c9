from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from clients import actions
from clients.checks import known_own_id
from clients.models import Contact
from messaging.erasure import erase_contact

from ..operations import operation
from . import people_inputs as inputs
from . import people_shapes as shapes
from .paging import paged
from .people import PeopleView


class Contacts(PeopleView):
    renamed = {"contact_id": "id"}

    @operation("List contacts", query=inputs.ContactList, answer=shapes.Contacts)
    def list(self, request: Request) -> Response:
        """The newest first."""
        query = self.query()
        rows = self.all(Contact).present()
        if "search" in query:
            rows = rows.matching(query["search"])
        if "phone" in query:
            rows = rows.with_phone(query["phone"])
        if "email" in query:
            rows = rows.with_email(query["email"])
        page, pagination = paged(rows.order_by("-id"), query)
        return Response({"contacts": [shapes.contact(row) for row in page], "pagination": pagination})

    @operation(
        "Create a contact", body=inputs.NewContact, answer=shapes.ContactShown, status=201, gives={"contact_id": "/id"}
    )
    def create(self, request: Request) -> Response:
        given = self.body()
        row = actions.create_contact(client=self.client, contact_id=given.pop("id", None), **given)
        return Response(shapes.contact(row), status=201)

    @operation("Get a contact", answer=shapes.ContactShown, problems=(404,))
    def retrieve(self, request: Request, contact_id: str) -> Response:
        return Response(shapes.contact(self._contact(contact_id)))

    @operation("Change a contact", body=inputs.ContactChanges, answer=shapes.ContactShown, problems=(404,))
    def update(self, request: Request, contact_id: str) -> Response:
        row = self._contact(contact_id)
        given: dict[str, Any] = self.body()
        for name in ("phone", "email"):
            if name in given:
                given[name] = given[name] or ""
        return Response(shapes.contact(actions.update_contact(contact=row, **given)))

    @operation("Erase a contact", answer=None, status=204, problems=(404,))
    def destroy(self, request: Request, contact_id: str) -> Response:
        """What is held about the person goes; their conversations keep their shape."""
        erase_contact(contact=self._contact(contact_id))
        return Response(status=204)

    def _contact(self, contact_id: str) -> Contact:
        row: Contact = self.find(self.all(Contact).present(), "Contact", contact_id=known_own_id(contact_id))
        return row
