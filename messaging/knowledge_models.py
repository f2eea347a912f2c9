"""What the `knowledge` provider answers from (docs/knowledge.md)."""

from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from chatplatform.db.textindex import IndexedText
from clients.checks import validate_not_blank
from clients.models import Client, new_uuid
from clients.querysets import TenantQuerySet
from clients.search import LANGUAGES

TITLE_LENGTH, BODY_LENGTH, KEYWORDS_LENGTH, SHORTCUT_LENGTH, KEY_LENGTH = 255, 50_000, 1000, 50, 255


class ArticleQuerySet(TenantQuerySet):
    def published(self) -> Self:
        return self.filter(is_published=True)

    def articles(self) -> Self:
        return self.filter(kind="article")

    def replies(self) -> Self:
        return self.filter(kind="reply")


class ArticleManager(models.Manager.from_queryset(ArticleQuerySet)):  # type: ignore[misc]
    """Rows come without their stems, which serve retrieval alone."""

    def get_queryset(self) -> Any:
        return super().get_queryset().defer("search")


class Article(models.Model):
    """A text that answers may quote: an article, or a canned reply, which staff also know by its shortcut."""

    class Kind(models.TextChoices):
        ARTICLE = "article", _("article")
        REPLY = "reply", _("canned reply")

    uuid = models.UUIDField(default=new_uuid, unique=True, editable=False)
    client = models.ForeignKey(
        Client, models.CASCADE, related_name="articles", verbose_name=_("client"), db_index=False
    )
    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices, default=Kind.ARTICLE)
    language = models.CharField(_("language"), max_length=4, choices=LANGUAGES)
    title = models.CharField(_("title"), max_length=TITLE_LENGTH, validators=[validate_not_blank])
    body = models.TextField(_("text"), max_length=BODY_LENGTH, validators=[validate_not_blank])
    keywords = models.CharField(_("keywords"), max_length=KEYWORDS_LENGTH, blank=True, default="")
    is_published = models.BooleanField(_("published"), default=True)
    shortcut = models.CharField(_("shortcut"), max_length=SHORTCUT_LENGTH, blank=True, default="")
    #: By which an import finds the row again.
    key = models.CharField(_("key of the import"), max_length=KEY_LENGTH, blank=True, default="")
    #: The stems of title, keywords and body; none of what is not published.
    search = IndexedText()
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed"), default=timezone.now, editable=False)

    objects = ArticleManager()

    class Meta:
        verbose_name, verbose_name_plural = _("article"), _("articles")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["client", "key"], name="article_key_unique", condition=~Q(key="")),
            models.UniqueConstraint(
                fields=["client", "shortcut"],
                name="article_shortcut_unique",
                condition=~Q(shortcut=""),
                violation_error_message=_("Another canned reply has this shortcut."),
            ),
            models.CheckConstraint(
                name="article_shortcut_of_reply",
                condition=Q(kind="reply") & ~Q(shortcut="") | Q(kind="article", shortcut=""),
            ),
        ]
        indexes = [
            models.Index(fields=["client", "kind", "-id"], name="article_by_client"),
            models.Index(fields=["client", "language"], name="article_published", condition=Q(is_published=True)),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    @property
    def reference(self) -> str:
        return f"{self.kind}:{self.pk}"


class CannedReply(Article):
    """A canned reply, as staff have it before them."""

    class Meta:
        proxy = True
        verbose_name, verbose_name_plural = _("canned reply"), _("canned replies")


class ArticleTerm(models.Model):
    """In how many published articles of a client a stem stands: what a word is worth, and what a misspelt one
    may mean. Kept in the transaction of every change, under the client's lock."""

    client = models.ForeignKey(Client, models.CASCADE, related_name="+", db_index=False)
    language = models.CharField(max_length=4)
    term = models.CharField(max_length=100)
    #: Its first two letters, by which a misspelt word's neighbours are found.
    head = models.CharField(max_length=2)
    articles = models.PositiveIntegerField(default=0)

    objects = TenantQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("word of the articles"), _("words of the articles")
        constraints = [models.UniqueConstraint(fields=["client", "language", "term"], name="article_term_unique")]
        indexes = [models.Index(fields=["client", "language", "head"], name="article_term_head")]

    def __str__(self) -> str:
        return self.term
