"""What the admin's tests share: staff in a browser, and a client furnished with a row of every kind."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.test import Client as Browser
from django.urls import reverse
from django.utils import timezone

from clients import actions as people
from clients.actions import NewTenant
from clients.callers import system_caller
from clients.credentials import issue_tokens
from clients.models import User
from conversations import actions
from conversations.models import Conversation
from messaging.actions import add_note, create_article, create_auto_tag, create_rule, send_message
from messaging.actions.webhooks import create_endpoint
from messaging.models import AgentUsage, Attachment, Upload, WebhookAttempt, WebhookDelivery
from messaging.senders import as_agent, as_contact
from messaging.spam import reason

STAFF = ("agent", "supervisor", "client_admin")
MODELS = sorted(admin.site._registry, key=lambda model: model._meta.label)


def staff_of(tenant: NewTenant, role: str, name: str = "") -> User:
    name = name or role
    return people.create_user(
        client=tenant.client, name=name.title(), email=f"{name}@{tenant.client.name.lower()}.example.com", role=role
    ).user


def superuser() -> User:
    return User.objects.create_superuser("root", "root@example.com", "correct horse battery")


def browser_of(user: User) -> Browser:
    browser = Browser(raise_request_exception=True)
    browser.force_login(user, backend="clients.backends.RoleBackend")
    return browser


def page(model: type, name: str, *args: Any) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{name}", args=args)


@dataclass
class World:
    """One row of every kind in one client, all named after it."""

    tenant: NewTenant
    conversation: Conversation
    rows: dict[str, Any]


def furnish(tenant: NewTenant, n: int = 1, **columns: Any) -> World:
    client, contact, agent = tenant.client, tenant.contacts[0], tenant.agents[0]
    name = client.name
    by = system_caller(client)
    contact.name = f"{name} customer"
    contact.save()
    conversation = actions.create_conversation(
        client_id=client.pk, by=by, channel=f"{name}-channel", title=f"{name} invoice {n}", queue=f"{name}-queue",
        status="active", owner=tenant.users[0].user,
        people=[actions.Person(contact_id=contact.pk), actions.Person(user_id=tenant.users[0].user.pk)],
        **columns,
    )  # fmt: skip
    send_message(conversation=conversation, sender=as_contact(contact), text=f"{name} asks <b>why</b>")
    message = send_message(conversation=conversation, sender=as_agent(agent), text=f"{name} answers")
    add_note(conversation=conversation, sender=as_agent(agent), text=f"{name} whispers")
    held = send_message(
        conversation=conversation, sender=as_contact(contact), text=f"{name} sells <b>why</b>", visibility="held",
        flag_reasons=[reason("keyword", 10.0, f"{name} <b>why</b>")],
    )  # fmt: skip
    actions.update_conversation(conversation=conversation, tags=[f"{name}-tag"], by=by)
    actions.change_status(conversation=conversation, status="escalated", by=by)
    now = timezone.now()
    upload = Upload.objects.create(
        client=client, conversation=conversation, file_name=f"{name}.pdf", content_type="application/pdf", size=9,
        state="ready", storage_key="k", received_at=now, created_at=now, expires_at=now + timezone.timedelta(hours=1),
    )  # fmt: skip
    attachment = Attachment.objects.create(message=message, upload=upload, file_name=f"{name}.pdf")
    issue_tokens(tenant.users[0].user)
    rule = create_rule(
        client=client, name=f"{name} hours {n}", type="deny", channel="fax", days=["monday"], auto_reply=f"{name} naps"
    )
    auto_tag = create_auto_tag(client=client, words=[f"{name} word"], tag=f"{name} {n}")
    # In capitals: pages are searched for addresses of others, which they must not lead to.
    hook, _ = create_endpoint(client_id=client.pk, url=f"HTTPS://hooks.example.com/{name}?<b>why</b>")
    delivery = WebhookDelivery.objects.create(
        endpoint=hook, conversation=conversation, kind="conversation.created", body='{"event": "<b>why</b>"}'
    )
    WebhookAttempt.objects.create(
        delivery=delivery, at=now, duration=7, status=500, request_headers={"webhook-signature": "v1,c2VjcmV0"},
        response_headers={"server": "<b>why</b>"}, response_body=f"{name} <b>why</b>",
    )  # fmt: skip
    article = create_article(client=client, title=f"{name} returns {n}", body=f"{name} <b>why</b>", keywords="parcel")
    reply = create_article(client=client, kind="reply", title=f"{name} hi", body=f"{name} hello", shortcut=f"hi-{n}")
    bot = tenant.agents[1]
    days = AgentUsage.objects.filter(agent=bot).count()
    day = timezone.now().date() - timedelta(days=days)
    usage = AgentUsage.objects.create(agent=bot, day=day, answers=3, cost_micro=1_234_567)
    rows = {
        "clients.Client": client, "clients.User": tenant.users[0].user, "clients.Contact": contact,
        "clients.Agent": agent, "clients.ApiToken": tenant.api_token.token, "clients.PlatformKey": tenant.public_key,
        "clients.RefreshToken": tenant.users[0].user.refresh_tokens.first(),
        "conversations.Conversation": conversation,
        "conversations.Participant": conversation.participants.first(), "conversations.Tag": conversation.tags.first(),
        "conversations.ConversationTag": conversation.taggings.first(),
        "conversations.StateChange": conversation.state_changes.first(),
        "conversations.SessionHistory": conversation.sessions.first(),
        "conversations.Event": conversation.events.first(),
        "messaging.HeldMessage": held,
        "messaging.Message": message, "messaging.Upload": upload, "messaging.Attachment": attachment,
        "messaging.CommunicationRule": rule, "messaging.AutoTag": auto_tag, "messaging.AgentUsage": usage,
        "messaging.Article": article, "messaging.CannedReply": reply,
        "messaging.WebhookEndpoint": hook, "messaging.WebhookDelivery": delivery,
    }  # fmt: skip
    conversation.refresh_from_db()
    return World(tenant, conversation, rows)


def enter(role: str, tenant: NewTenant) -> tuple[Browser, User]:
    user = superuser() if role == "superuser" else staff_of(tenant, role)
    return browser_of(user), user
