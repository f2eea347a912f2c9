"""Communication rules and auto-tags."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import (
    CheckboxesWidget,
    ChoicesFilter,
    ModelAdmin,
    ScopedForm,
    SelectWidget,
    TextAreaWidget,
    TimeWidget,
    display,
)
from chatplatform.errors import Invalid
from chatplatform.text import fold

from .. import actions
from ..actions.rules import check_rule, clean_words, lacking
from ..models import AutoTag, CommunicationRule
from ..rulebook import read_rules, rule_of
from ..rules.holidays import holidays_of
from ..rules.hours import DAYS, Rule, applying, decide, next_change, time_zones

_DAY_NAMES = dict(
    zip(
        DAYS,
        [_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")],
        strict=True,
    )
)

#: Where the form tells what is wrong with several fields together.
_SHOWN_AT = {"conditions": "days", "actions": "auto_reply"}
_FIELDS_OF = {
    "conditions": {"days", "start", "end", "channel", "tag"},
    "actions": {"auto_reply", "route_to"},
}


class RuleForm(ScopedForm):
    days = forms.MultipleChoiceField(
        label=_("days"), required=False, widget=CheckboxesWidget, choices=list(_DAY_NAMES.items()),
        help_text=_("None: every day. A range past midnight is of the day on which it starts."),
    )  # fmt: skip
    start = forms.TimeField(label=_("from"), required=False, widget=TimeWidget, input_formats=["%H:%M"])
    end = forms.TimeField(label=_("until"), required=False, widget=TimeWidget, input_formats=["%H:%M"])
    time_zone = forms.ChoiceField(
        label=_("time zone"), required=False, widget=SelectWidget,
        choices=[("", _("the client's own")), *((name, name) for name in sorted(time_zones()))],
    )  # fmt: skip
    auto_reply = forms.CharField(label=_("auto-reply"), required=False, widget=TextAreaWidget(attrs={"rows": 3}))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        row = CommunicationRule(**cleaned)
        if self.errors:
            # What is lacking is told together with the rest, but not where a field was filled in wrongly.
            problems: Any = {
                name: said for name, said in lacking(row).items() if _FIELDS_OF[name].isdisjoint(self.errors)
            }
        else:
            problems = {}
            try:
                check_rule(row)
            except Invalid as error:
                problems = error.fields
        for name, said in problems.items():
            self.add_error(_SHOWN_AT.get(name, name), said)
        return cleaned

    def validate_constraints(self) -> None:
        """What the database would refuse `clean` has said, where it can be mended."""


@admin.register(CommunicationRule)
class CommunicationRuleAdmin(ModelAdmin):
    can_add = can_change = can_delete = True
    form = RuleForm
    list_display = ["name", "type", "times", "channel", "tag", "route_to", "holds"]
    list_select_related = ["client"]
    list_filter = [("type", ChoicesFilter)]
    search_fields = ["name"]
    fields = [
        ("name", "type"), "days", ("start", "end"), "time_zone", ("channel", "tag"), "auto_reply", "route_to", "now",
    ]  # fmt: skip
    readonly_fields = ["now"]
    ordering = ["id"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        return [name for name in super().get_fields(request, obj) if obj is not None or name != "now"]

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: value for name, value in form.cleaned_data.items() if name != "client"}
        obj.pk = actions.create_rule(client=obj.client, **columns).pk

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        actions.update_rule(rule=obj, **{name: getattr(obj, name) for name in form.changed_data})

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete_rule(obj)

    @display(description=_("times"))
    def times(self, row: CommunicationRule) -> str:
        days = ", ".join(str(_DAY_NAMES[day]) for day in row.days)
        if row.start is None or row.end is None:
            return days or gettext("always")
        return f"{days} {row.start:%H:%M}–{row.end:%H:%M} {row.time_zone}".strip()

    @display(description=_("holds now"))
    def holds(self, row: CommunicationRule) -> str:
        one = rule_of(row, row.client.time_zone, holidays_of(row.client.settings))
        now = timezone.now()
        if one.matches(now):
            return gettext("yes")
        return gettext("no: a holiday") if now.astimezone(one.zone).date() in one.holidays else gettext("no")

    @display(description=pgettext_lazy("whether a client is open", "now"))
    def now(self, row: CommunicationRule) -> str:
        """Of a conversation with this rule's channel and tag."""
        tags = frozenset({fold(row.tag)} - {""})
        rules = applying(read_rules(row.client), row.channel, tags)
        own = next((rule for rule in rules if rule.id == row.pk), None)
        return _preview(rules, own) if own is not None else "—"


def _preview(rules: list[Rule], own: Rule) -> str:
    now = timezone.now()
    decision, change = decide(rules, now), next_change(rules, now)
    when = date_format(change.astimezone(own.zone), "D j M Y, H:i") if change else ""
    if decision.rule is None:
        words = gettext("Open; closes %(when)s (%(zone)s)") if change else gettext("Open, and stays so for a year")
    else:
        words = (
            gettext("Closed by “%(rule)s”; opens %(when)s (%(zone)s)")
            if change
            else gettext("Closed by “%(rule)s”, and stays so for a year")
        )
    return words % {"when": when, "zone": own.zone.key, "rule": decision.rule.name if decision.rule else ""}


class AutoTagForm(ScopedForm):
    words = forms.CharField(
        label=_("words"), widget=TextAreaWidget(attrs={"rows": 3}),
        help_text=_("Parted by commas. What counts is a word of a message that begins with one of them."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["words"] = ", ".join(self.instance.words)

    def clean_words(self) -> list[str]:
        try:
            return clean_words(word for word in self.cleaned_data["words"].split(",") if word.strip())
        except Invalid as error:
            raise forms.ValidationError(list(error.fields["words"])) from error


@admin.register(AutoTag)
class AutoTagAdmin(ModelAdmin):
    can_add = can_change = can_delete = True
    form = AutoTagForm
    list_display = ["tag", "keywords", "created_at"]
    search_fields = ["tag"]
    fields = ["tag", "words"]
    ordering = ["id"]

    @display(description=_("words"))
    def keywords(self, row: AutoTag) -> str:
        return ", ".join(row.words)

    def create(self, request: HttpRequest, obj: Any, form: Any) -> None:
        columns = {name: form.cleaned_data[name] for name in ("words", "tag")}
        obj.pk = actions.create_auto_tag(client=obj.client, **columns).pk

    def update(self, request: HttpRequest, obj: Any, form: Any) -> None:
        actions.update_auto_tag(auto_tag=obj, words=obj.words, tag=obj.tag)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        actions.delete_auto_tag(obj)
