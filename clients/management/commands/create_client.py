import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chatplatform.errors import DomainError
from clients.actions import NewTenant, NewUser, create_tenant


class Command(BaseCommand):
    help = "Makes a client with everything that a first caller needs, and shows its secrets this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--users", type=int, default=2, metavar="N", help="end users to make (default 2)")
        parser.add_argument("--session-id", metavar="ID", help="the session id of its WhatsApp runners")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        name, session_id = options["name"].strip(), options["session_id"]
        for what, text in (("name", name), ("session id", session_id)):
            if text is not None and not (1 <= len(text.strip()) <= len(text) <= 255 and text.isprintable()):
                raise CommandError(f"A {what} has 1 to 255 printable characters.")
        if not 0 <= options["users"] <= 10_000:
            raise CommandError("--users takes 0 to 10000.")
        try:
            tenant = create_tenant(name=name, users=options["users"], session_id=session_id)
        except DomainError as error:
            raise CommandError(error.message) from error
        if options["json"]:
            self.stdout.write(json.dumps(as_json(tenant), ensure_ascii=False))
        else:
            self.stdout.write(for_a_person(tenant))


def as_json(tenant: NewTenant) -> dict[str, Any]:
    return {
        "client": {
            "id": str(tenant.client.uuid),
            "name": tenant.client.name,
            "session_id": tenant.client.session_id,
        },
        "public_key": tenant.public_key.key,
        "api_token": tenant.api_token.secret,
        "staff": _user(tenant.staff),
        "users": [_user(user) for user in tenant.users],
        "agents": [
            {"id": agent.pk, "agent_id": agent.agent_id, "name": agent.name, "kind": str(agent.kind)}
            for agent in tenant.agents
        ],
        "contacts": [
            {"contact_id": contact.contact_id, "name": contact.name, "phone": contact.phone}
            for contact in tenant.contacts
        ],
    }


def _user(new: NewUser) -> dict[str, Any]:
    user = new.user
    return {"id": user.pk, "uuid": str(user.uuid), "name": user.name, "email": user.email, "password": new.password}


def for_a_person(tenant: NewTenant) -> str:
    people = [("staff (enters the admin)", tenant.staff), *((f"end user {new.user.name}", new) for new in tenant.users)]
    lines = [
        f"Client {tenant.client.name}, id {tenant.client.uuid}",
        f"  session id   {tenant.client.session_id}",
        f"  API token    {tenant.api_token.secret}",
        f"  public key   {tenant.public_key.key}",
        *(f"  {who}: {new.user.email}  password {new.password}" for who, new in people),
        *(f"  agent {agent.pk}: {agent.agent_id} ({agent.kind}), {agent.name}" for agent in tenant.agents),
        *(f"  contact {contact.contact_id}: {contact.name}, {contact.phone}" for contact in tenant.contacts),
        "These secrets are not shown again.",
    ]
    return "\n".join(lines)
