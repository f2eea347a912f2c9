"""The people of the demonstration. Every number is of a range reserved for fiction, every address of
example.com."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from django.utils import timezone

from clients import actions
from clients.actions import NewApiToken, NewUser, Person
from clients.callers import Caller, caller_of_user, system_caller
from clients.models import Agent, Client, Contact, PlatformKey, User
from clients.roles import Role

COMPANY = "Biji & Daun"
TIME_ZONE = "Asia/Jakarta"
BOT = "Daun"
#: key, name, role, queues
STAFF: tuple[tuple[str, str, Role, list[str]], ...] = (
    ("sari", "Sari Wulandari", Role.CLIENT_ADMIN, []),
    ("daniel", "Daniel Ortega", Role.SUPERVISOR, []),
    ("ana", "Ana Beltrán", Role.AGENT, ["español", "billing"]),
    ("budi", "Budi Santoso", Role.AGENT, ["indonesia", "delivery"]),
)
END_USERS = ("Maya Hart", "Javier Molina", "Putri Lestari")


@dataclass
class Cast:
    client: Client
    superuser: NewUser
    staff: dict[str, NewUser]
    users: dict[str, NewUser]
    agents: dict[str, Agent]
    bot: Agent
    api_token: NewApiToken
    public_key: PlatformKey
    callers: dict[str, Caller]
    system: Caller
    by_bot: Caller
    contacts: dict[str, Contact] = field(default_factory=dict)

    def contact(self, name: str, *, met_at: datetime | None = None, email: str = "") -> Contact:
        """The contact of this name, met now at the latest."""
        if name not in self.contacts:
            number = len(self.contacts)
            phone = f"120255501{number:02d}" if number % 2 else f"4477009001{number:02d}"
            self.contacts[name] = actions.create_contact(
                client=self.client,
                name=name,
                phone=phone,
                contact_id=f"customer_{number + 1:03d}",
                email=email,
                created_at=met_at or timezone.now(),
            )
        return self.contacts[name]


def address(name: str) -> str:
    plain = name.lower().translate(str.maketrans("áéíóúñ", "aeioun"))
    return f"{plain.replace(' ', '.')}@example.com"


def make_cast() -> Cast:
    client = actions.create_client(name=COMPANY)
    client.time_zone = TIME_ZONE
    client.save(update_fields=["time_zone"])
    people = [Person(name=name, email=address(name), role=role) for _, name, role, _ in STAFF]
    people += [Person(name=name, email=address(name)) for name in END_USERS]
    made = actions.create_users(client=client, people=people)
    staff = {key: new for (key, *_), new in zip(STAFF, made, strict=False)}
    users = {new.user.name: new for new in made[len(STAFF) :]}
    agents = {
        key: actions.create_agent(
            client=client, agent_id=f"agent_{key}", name=name, user=staff[key].user, queues=queues
        )
        for key, name, _, queues in STAFF
    }
    callers = {key: caller_of_user(new.user, agents.get(key)) for key, new in {**staff, **users}.items()}
    return Cast(
        client=client,
        superuser=_superuser(),
        staff=staff,
        users=users,
        agents=agents,
        bot=actions.create_agent(
            client=client,
            agent_id="daun",
            name=BOT,
            kind=Agent.Kind.AI,
            provider=Agent.Provider.KNOWLEDGE,
            is_default=True,
        ),
        api_token=actions.create_api_token(client=client, name="Shop back end"),
        public_key=actions.create_platform_key(client=client, name="Shop app"),
        callers=callers,
        system=system_caller(client),
        by_bot=replace(system_caller(client), name=BOT),
    )


def _superuser() -> NewUser:
    from clients.tokens import new_password

    password = new_password()
    user: User = User.objects.create_superuser("admin@example.com", "admin@example.com", password, name="Administrator")
    return NewUser(user, password)
