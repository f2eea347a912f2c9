"""Tenants, and the people and programs of each."""

import uuid
from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from uuid_utils.compat import uuid7

from .. import tokens
from ..checks import validate_email_name, validate_not_blank, validate_own_id, validate_phone
from ..fields import StrictJSONField
from ..querysets import AgentQuerySet, ClientQuerySet, ContactQuerySet, UserQuerySet
from ..roles import Role, permissions_of
from ..search import LANGUAGES, SearchText

MAX_TIMEOUT = 120  # seconds that a provider may have


def new_uuid() -> uuid.UUID:
    """Ordered by time, so that indexes over it grow at one end."""
    return uuid7()


class Client(models.Model):
    """A tenant: one company. `session_id` is what its WhatsApp runners call it, and secret."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=255, unique=True)
    session_id = models.CharField(_("session id"), max_length=255, unique=True, default=tokens.new_session_id)
    is_active = models.BooleanField(_("active"), default=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="UTC")
    language = models.CharField(_("language"), max_length=8, default="en")
    #: Whose words full-text search takes for one another ("order", "orders"); see messaging.search.
    search_language = models.CharField(_("language of search"), max_length=4, choices=LANGUAGES, default="en")
    settings = StrictJSONField(_("settings"), default=dict, blank=True)
    #: Counted up by every change of what acts on messages: settings, time zone, rules, auto-tags.
    rules_version = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = ClientQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("client"), _("clients")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def create_superuser(self, username: str, email: str, password: str | None = None, **fields: Any) -> "User":
        """Django's own command calls this; a superuser belongs to no client."""
        name = fields.pop("name", "") or username
        user = self.model(username=username, email=self.normalize_email(email), name=name, is_staff=True, **fields)
        user.is_superuser = True
        user.set_password(password)
        user.save()
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person who logs in: an end user of one client, its staff (by role), or a superuser of none."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(
        Client, models.PROTECT, related_name="users", null=True, blank=True, verbose_name=_("client")
    )
    username = models.CharField(_("login name"), max_length=255, unique=True)
    name = models.CharField(_("name"), max_length=255, validators=[validate_not_blank])
    email = models.EmailField(_("e-mail"), max_length=255, validators=[validate_email_name])
    external_id = models.CharField(
        _("the client's own id"), max_length=64, null=True, blank=True, validators=[validate_own_id]
    )
    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default="", blank=True)
    is_staff = models.BooleanField(_("may enter the admin"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    #: Counted up by whatever must end this user's tokens: a new password, a log-out everywhere.
    token_version = models.PositiveIntegerField(default=0, editable=False)
    #: When a mail with a link for a new password was last sent.
    reset_mailed_at = models.DateTimeField(null=True, blank=True, editable=False)
    date_joined = models.DateTimeField(_("joined"), default=timezone.now, editable=False)

    objects = UserManager()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name, verbose_name_plural = _("user"), _("users")
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_unique", condition=~Q(email="")),
            models.UniqueConstraint(fields=["client", "external_id"], name="user_external_id_unique"),
            models.CheckConstraint(
                name="user_belongs_to_one_client",
                condition=Q(client__isnull=False, is_superuser=False) & ~Q(role=Role.SERVICE)
                | Q(client__isnull=True, is_superuser=True)
                | Q(client__isnull=True, role=Role.SERVICE, is_staff=False),
            ),
            models.CheckConstraint(
                name="user_staff_has_a_role",
                condition=Q(is_superuser=True) | Q(role__in=["", Role.SERVICE], is_staff=False)
                | Q(role__in=Role.staff(), is_staff=True),
            ),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["client", "name", "id"], name="user_by_client"),
            models.Index(fields=["client", "-id"], name="user_newest"),
        ]

    def __str__(self) -> str:
        return self.name or self.username

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name.split(" ")[0] or self.username

    def set_password(self, raw_password: str | None) -> None:
        super().set_password(raw_password)
        self.token_version += 1

    def check_password(self, raw_password: Any) -> bool:
        """A hash that is renewed here is no new password: it ends no token."""

        def renew(raw: str) -> None:
            self.password = make_password(raw)
            self.save(update_fields=["password"])

        return check_password(raw_password, self.password, renew)

    def get_role_permissions(self) -> frozenset[str]:
        return permissions_of(self.role)


class Contact(models.Model):
    """A customer as the client knows them; `contact_id` is the client's own string."""

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(Client, models.CASCADE, related_name="contacts", verbose_name=_("client"))
    contact_id = models.CharField(_("contact id"), max_length=64, validators=[validate_own_id])
    name = models.CharField(_("name"), max_length=255, blank=True, default="")
    phone = models.CharField(_("phone"), max_length=15, blank=True, default="", validators=[validate_phone])
    email = models.EmailField(_("e-mail"), max_length=255, blank=True, default="", validators=[validate_email_name])
    metadata = StrictJSONField(_("metadata"), default=dict, blank=True)
    search_text = SearchText(of=("name", "contact_id", "phone", "email"))
    #: Where it was met and under which key, when we made it ourselves: that is made only once.
    source = models.CharField(max_length=50, blank=True, default="", editable=False)
    source_key = models.CharField(max_length=255, null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), auto_now=True)
    #: Names, numbers and addresses that they had before, so that an erasure finds those too.
    former = models.JSONField(default=list, blank=True, editable=False)
    #: The row stays for the conversations that they took part in; it says nothing of them.
    erased_at = models.DateTimeField(_("erased"), null=True, blank=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("contact"), _("contacts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "contact_id"], name="contact_id_unique"),
            models.UniqueConstraint(fields=["client", "source", "source_key"], name="contact_source_unique"),
            models.CheckConstraint(name="contact_id_not_empty", condition=~Q(contact_id="")),
            models.CheckConstraint(name="contact_phone_digits", condition=Q(phone__regex=r"^([1-9][0-9]{0,14})?$")),
        ]
        indexes = [
            models.Index(fields=["client", "phone", "id"], name="contact_by_phone", condition=~Q(phone="")),
            models.Index("client", Lower("email"), "id", name="contact_by_email", condition=~Q(email="")),
            models.Index(fields=["client", "-id"], name="contact_by_client"),
        ]

    def __str__(self) -> str:
        return gettext("Erased contact") if self.erased_at else self.name or self.phone or self.contact_id


class Agent(models.Model):
    """Who answers: a person of the staff, a program (ai), or the client's own voice (system)."""

    class Kind(models.TextChoices):
        HUMAN = "human", _("human")
        AI = "ai", _("AI")
        SYSTEM = "system", _("system")

    class Provider(models.TextChoices):
        KNOWLEDGE = "knowledge", _("knowledge (embedded)")
        OPENAI = "openai", _("OpenAI-compatible")

    client = models.ForeignKey(Client, models.CASCADE, related_name="agents", verbose_name=_("client"))
    agent_id = models.CharField(_("agent id"), max_length=64, validators=[validate_own_id])
    name = models.CharField(_("name"), max_length=255, validators=[validate_not_blank])
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.HUMAN)
    user = models.OneToOneField(
        User, models.SET_NULL, related_name="agent", null=True, blank=True, verbose_name=_("logs in as")
    )
    queues = StrictJSONField(_("queues"), default=list, blank=True)  # names; conversations in them are theirs
    is_active = models.BooleanField(_("active"), default=True)
    is_default = models.BooleanField(_("the client's default bot"), default=False)
    # The settings of an ai agent's provider; the key itself stays in the environment.
    provider = models.CharField(_("provider"), max_length=20, choices=Provider.choices, blank=True, default="")
    base_url = models.URLField(_("base URL"), max_length=500, blank=True, default="")
    model = models.CharField(_("model"), max_length=100, blank=True, default="")
    api_key_env = models.CharField(_("environment variable of the key"), max_length=100, blank=True, default="")
    system_prompt = models.TextField(_("system prompt"), blank=True, default="")
    temperature = models.FloatField(
        _("temperature"), default=0.2, validators=[MinValueValidator(0), MaxValueValidator(2)]
    )
    timeout = models.PositiveIntegerField(
        _("time-out (seconds)"), default=30, validators=[MinValueValidator(1), MaxValueValidator(MAX_TIMEOUT)]
    )
    context_tokens = models.PositiveIntegerField(
        _("token budget of the context"),
        default=4000,
        validators=[MinValueValidator(200), MaxValueValidator(1_000_000)],
    )
    answer_tokens = models.PositiveIntegerField(
        _("longest answer (tokens)"),
        default=1000,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text=_("What a provider may say at most; models that think aloud count that too."),
    )
    masks_personal = models.BooleanField(
        _("mask personal data"), default=False,
        help_text=_("Card numbers, e-mail addresses and phone numbers are replaced before anything is sent."),
    )  # fmt: skip
    price_in = models.DecimalField(
        _("price per million tokens in"), max_digits=12, decimal_places=6, default=0, validators=[MinValueValidator(0)]
    )
    price_out = models.DecimalField(
        _("price per million tokens out"), max_digits=12, decimal_places=6, default=0, validators=[MinValueValidator(0)]
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = AgentQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("agent"), _("agents")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "agent_id"], name="agent_id_unique"),
            models.UniqueConstraint(fields=["client"], name="agent_one_system", condition=Q(kind="system")),
            models.UniqueConstraint(fields=["client"], name="agent_one_default", condition=Q(is_default=True)),
            models.CheckConstraint(name="agent_id_not_empty", condition=~Q(agent_id="")),
            models.CheckConstraint(
                name="agent_provider_of_ai_only", condition=Q(kind="ai") ^ Q(provider="")
            ),
            models.CheckConstraint(
                name="agent_user_is_human", condition=Q(user__isnull=True) | Q(kind="human")
            ),
            models.CheckConstraint(name="agent_default_is_ai", condition=Q(is_default=False) | Q(kind="ai")),
        ]  # fmt: skip
        indexes = [
            models.Index(fields=["client", "name"], name="agent_by_name"),
            models.Index(fields=["client", "-id"], name="agent_newest"),
        ]

    def __str__(self) -> str:
        return self.name
