from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from messaging.actions import webhooks as actions
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint

from ..operations import operation
from . import ids
from . import webhook_inputs as inputs
from . import webhook_shapes as shapes
from .paging import paged
from .shapes import time
from .view import View

_ATTEMPTS = 100  # of a delivery that are shown: the newest


class _OfWebhooks(View):
    reads = writes = "webhooks"

    def endpoint(self, webhook_id: str) -> WebhookEndpoint:
        row: WebhookEndpoint = self.find(
            self.all(WebhookEndpoint), "Webhook", uuid=ids.parse("webhook", webhook_id)
        )  # fmt: skip
        return row

    def shown(self, delivery: WebhookDelivery) -> shapes.Delivery:
        return shapes.delivery(self.all(WebhookDelivery).values(*shapes.DELIVERY).get(pk=delivery.pk))


class Webhooks(_OfWebhooks):
    @operation("List webhooks", query=inputs.WebhookList, answer=shapes.Webhooks)
    def list(self, request: Request) -> Response:
        """The oldest first."""
        page, pagination = paged(self.all(WebhookEndpoint).order_by("id"), self.query())
        return Response({"webhooks": [shapes.webhook(row) for row in page], "pagination": pagination})

    @operation(
        "Create a webhook",
        body=inputs.NewWebhook, answer=shapes.Webhook, status=201, gives={"webhook_id": "/id"}, secret=True,
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """The answer shows the secret, this once."""
        assert self.caller.client_id is not None  # noqa: S101 - a token is a client's
        row, secret = actions.create_endpoint(client_id=self.caller.client_id, **self.body())
        return Response(shapes.webhook(row, secret), status=201)

    @operation("Get a webhook", answer=shapes.Webhook, problems=(404,))
    def retrieve(self, request: Request, webhook_id: str) -> Response:
        return Response(shapes.webhook(self.endpoint(webhook_id)))

    @operation("Change a webhook", body=inputs.WebhookChanges, answer=shapes.Webhook, problems=(404,))
    def update(self, request: Request, webhook_id: str) -> Response:
        changes: dict[str, Any] = self.body()
        if "events" in changes:
            changes["events"] = changes["events"] or ()
        return Response(shapes.webhook(actions.update_endpoint(endpoint=self.endpoint(webhook_id), **changes)))

    @operation("Delete a webhook", answer=None, status=204, problems=(404,))
    def destroy(self, request: Request, webhook_id: str) -> Response:
        actions.delete_endpoint(self.endpoint(webhook_id))
        return Response(status=204)

    @operation(
        "Give a webhook another secret", body=inputs.NewSecret, answer=shapes.Secret, problems=(404,), secret=True
    )
    def rotate(self, request: Request, webhook_id: str) -> Response:
        given = self.body().get("secret")
        with self.transaction():  # a secret that could not be answered is not changed
            secret = actions.rotate_secret(endpoint=self.endpoint(webhook_id), secret=given)
            until = self.endpoint(webhook_id).former_until
        return Response({"secret": secret, "former_secret_expires_at": until and time(until)})

    @operation(
        "Redeliver to a webhook what failed", body=inputs.Since, answer=shapes.Redelivered, status=202, problems=(404,)
    )
    def redeliver(self, request: Request, webhook_id: str) -> Response:
        """What failed since then, and what it was not told of because it was disabled."""
        row = self.endpoint(webhook_id)
        return Response({"count": actions.redeliver_since(endpoint=row, **self.body())}, status=202)

    @operation("Send a test to a webhook", answer=shapes.Delivery, status=202, problems=(404,))
    def test(self, request: Request, webhook_id: str) -> Response:
        return Response(self.shown(actions.test_endpoint(endpoint=self.endpoint(webhook_id))), status=202)


class Deliveries(_OfWebhooks):
    @operation("List the deliveries of a webhook", query=inputs.DeliveryList, answer=shapes.Deliveries, problems=(404,))
    def list(self, request: Request, webhook_id: str) -> Response:
        """The newest first."""
        rows, query = self._of(webhook_id), self.query()
        if "status" in query:
            rows = rows.filter(state=query["status"])
        page, pagination = paged(rows.order_by("-id").values(*shapes.DELIVERY), query)
        return Response({"deliveries": [shapes.delivery(row) for row in page], "pagination": pagination})

    @operation("Get a delivery", answer=shapes.WholeDelivery, problems=(404,))
    def retrieve(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """With its attempts, the oldest first."""
        rows = self._of(webhook_id).values(*shapes.WHOLE_DELIVERY)
        row = self.find(rows, "Delivery", uuid=ids.parse("delivery", delivery_id))
        attempts = self.all(WebhookAttempt).filter(delivery=row["id"]).order_by("-id").values(*shapes.ATTEMPT)
        return Response(shapes.whole_delivery(row, list(attempts[:_ATTEMPTS])[::-1]))

    @operation("Redeliver", answer=shapes.Delivery, status=202, problems=(404,))
    def redeliver(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        row = self.find(self._of(webhook_id), "Delivery", uuid=ids.parse("delivery", delivery_id))
        return Response(self.shown(actions.redeliver(delivery=row)), status=202)

    def _of(self, webhook_id: str) -> Any:
        return self.all(WebhookDelivery).filter(endpoint=self.endpoint(webhook_id))
