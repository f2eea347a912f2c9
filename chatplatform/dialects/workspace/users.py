from rest_framework.request import Request
from rest_framework.response import Response

from clients import actions
from clients.models import User

from ..fields import parse_uuid
from ..operations import operation
from . import people_inputs as inputs
from . import people_shapes as shapes
from .paging import paged
from .people import PeopleView


class Users(PeopleView):
    @operation("List users", query=inputs.UserList, answer=shapes.Users)
    def list(self, request: Request) -> Response:
        """The newest first; staff among them."""
        query = self.query()
        rows = (
            self.all(User).order_by("-id").filter(**{k: query[k] for k in ("external_id", "is_active") if k in query})
        )
        if "email" in query:
            rows = rows.with_email(query["email"])
        page, pagination = paged(rows, query)
        return Response({"users": [shapes.user(row) for row in page], "pagination": pagination})

    @operation("Create a user", body=inputs.NewUser, answer=shapes.UserShown, status=201, gives={"user_uuid": "/uuid"})
    def create(self, request: Request) -> Response:
        """Without a password the user sets one by mail."""
        new = actions.create_user(client=self.client, sets_password_by_mail=True, **self.body())
        return Response(shapes.user(new.user), status=201)

    @operation("Get a user", answer=shapes.UserShown, problems=(404,))
    def retrieve(self, request: Request, user_uuid: str) -> Response:
        return Response(shapes.user(self._user(user_uuid)))

    @operation("Change a user", body=inputs.UserChanges, answer=shapes.UserShown, problems=(404,))
    def update(self, request: Request, user_uuid: str) -> Response:
        row = self._user(user_uuid)
        return Response(shapes.user(actions.update_user(user=row, by=self.caller, **self.body())))

    def _user(self, user_uuid: str) -> User:
        row: User = self.find(self.all(User), "User", uuid=parse_uuid(user_uuid))
        return row
