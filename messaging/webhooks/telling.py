"""Mail to whoever must know that an endpoint was put out of service without them."""

import logging

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django_tasks import task

from clients.models import Client, User
from clients.roles import Role

from ..webhook_models import WebhookEndpoint

logger = logging.getLogger("chatplatform.webhooks")


def enqueue(endpoint: WebhookEndpoint) -> None:
    """In the transaction that puts it out of service: a mail to each Client admin with an address, which the
    worker's tasks send at least once."""
    people = User.objects.for_client(endpoint.client_id).active().filter(role=Role.CLIENT_ADMIN).exclude(email="")
    admins = list(people.order_by("id").values_list("pk", flat=True))
    if not admins:
        logger.warning("webhook %s is disabled, and no Client admin of its client has an e-mail address", endpoint.uuid)
    for admin in admins:
        tell_disabled.enqueue(endpoint.pk, admin)


@task(attempts=12, delay=60)
def tell_disabled(endpoint_id: int, user_id: int) -> bool:
    """One mail, in the client's language; whether there was anything to tell. Nothing where the endpoint is in
    service again, or was taken out of it by hand, or the person is no Client admin any more. Raises what the mail
    server does: it is tried again, for some hours."""
    row = WebhookEndpoint.objects.select_related("client").filter(pk=endpoint_id).first()
    if row is None or row.disabled in ("", WebhookEndpoint.Disabled.BY_HAND) or not row.client.is_active:
        return False
    people = User.objects.for_client(row.client_id).active().filter(role=Role.CLIENT_ADMIN).exclude(email="")
    person = people.filter(pk=user_id).first()
    if person is None:
        return False
    subject, text = _written(row, row.client)
    send_mail(subject, text, None, [person.email])
    return True


def _written(row: WebhookEndpoint, client: Client) -> tuple[str, str]:
    link = f"{settings.PUBLIC_URL}{reverse('admin:messaging_webhookendpoint_change', args=[row.pk])}"
    with translation.override(client.language):
        context = {
            "url": row.url,
            "client": " ".join(client.name.split()),  # one line, whatever it is made of
            "gone": row.disabled == WebhookEndpoint.Disabled.GONE,
            "since": row.failing_since,
            "link": link,
        }
        subject = render_to_string("webhooks/disabled_subject.txt", context).strip()
        return subject, render_to_string("webhooks/disabled_email.txt", context)
