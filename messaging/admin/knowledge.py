"""Articles and canned replies, which `knowledge` agents answer from."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ChoicesFilter, ModelAdmin, ScopedForm, TextWidget, YesNoFilter, caller_of
from chatplatform.errors import Invalid
from clients.callers import Caller

from .. import actions
from ..actions.articles import check_article
from ..models import Article, CannedReply
from .knowledge_file import import_file

#: What an existing row shows besides.
_ORIGIN = ("key", "created_at", "updated_at")


class ArticleForm(ScopedForm):
    kind = Article.Kind.ARTICLE
    keywords = forms.CharField(
        label=_("keywords"), required=False, widget=TextWidget,
        help_text=_("Other words that customers use for it, parted by commas."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.instance.kind = self.kind

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not self.errors:
            row = Article(kind=self.kind, key=self.instance.key, **cleaned)
            try:
                check_article(row)
            except Invalid as error:
                for name, said in error.fields.items():
                    self.add_error(name if name in self.fields else None, list(said))
            else:
                cleaned.update({name: getattr(row, name) for name in cleaned})
        return cleaned


class ReplyForm(ArticleForm):
    kind = Article.Kind.REPLY


class _Texts(ModelAdmin):
    can_add = can_change = can_delete = True
    list_filter = [("language", ChoicesFilter), ("is_published", YesNoFilter)]
    search_fields = ["title", "keywords"]
    readonly_fields = _ORIGIN
    ordering = ["-id"]
    actions = ["publish_chosen", "withdraw_chosen"]
    kind = Article.Kind.ARTICLE

    def scope(self, rows: Any, caller: Caller) -> QuerySet[Any]:
        return super().scope(rows, caller).filter(kind=self.kind)

    def list_rows(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        return rows.defer("body", "search")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        shown = super().get_fields(request, obj)
        return shown if obj is not None else [name for name in shown if name != _ORIGIN]

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: value for name, value in form.cleaned_data.items() if name != "client"}
        obj.pk = actions.create_article(client=obj.client, kind=self.kind, **columns).pk

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        actions.update_article(article=obj, **{name: form.cleaned_data[name] for name in form.changed_data})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete_article(obj)

    @admin.action(description=_("Publish"), permissions=["change"])
    def publish_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Published"), lambda row: _publish(row, True))

    @admin.action(description=_("Withdraw"), permissions=["change"])
    def withdraw_chosen(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        self.each(request, rows, _("Withdrawn"), lambda row: _publish(row, False))


def _publish(row: Article, is_published: bool) -> None:
    actions.update_article(article=row, is_published=is_published)


@admin.register(Article)
class ArticleAdmin(_Texts):
    form = ArticleForm
    list_display = ["title", "language", "keywords", "is_published", "updated_at"]
    fields = [("title", "language"), "body", "keywords", "is_published", _ORIGIN]
    list_before_template = "admin/messaging/article/import.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="messaging_article_import"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        return super().changelist_view(request, {**(extra_context or {}), "may_import": self._may_import(request)})

    def import_view(self, request: HttpRequest) -> HttpResponse:
        if not self._may_import(request):
            raise PermissionDenied
        if request.method == "POST":
            import_file(request)
        return HttpResponseRedirect(self.url_of("changelist"))

    def _may_import(self, request: HttpRequest) -> bool:
        """Both kinds; a superuser has no client of their own that the articles would be of."""
        may = [f"messaging.{what}_{kind}" for what in ("add", "change") for kind in ("article", "cannedreply")]
        return caller_of(request).client_id is not None and request.user.has_perms(may)  # type: ignore[union-attr]


@admin.register(CannedReply)
class CannedReplyAdmin(_Texts):
    kind = Article.Kind.REPLY
    form = ReplyForm
    list_display = ["shortcut", "title", "language", "is_published", "updated_at"]
    search_fields = ["shortcut", "title", "keywords"]
    fields = [
        ("shortcut", "title", "language"), "body", "keywords", "is_published", _ORIGIN,
    ]  # fmt: skip
