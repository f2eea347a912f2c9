from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ScopedForm, SelectWidget, TextAreaWidget
from clients.models import Agent
from messaging.models import MAX_TEXT_BYTES

from ..models.tags import TAG_LENGTH
from ..states import ALLOWED, Status


class ConversationForm(ScopedForm):
    status = forms.ChoiceField(label=_("status"), widget=SelectWidget)
    tags = forms.CharField(
        label=_("tags"), required=False, widget=TextAreaWidget(attrs={"rows": 3}), help_text=_("One a line.")
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        row = self.instance
        if "status" in self.fields:
            states: Any = self.fields["status"]
            states.choices = [
                (state, state.label) for state in Status if state == row.status or state in ALLOWED[row.status]
            ]
        if "tags" in self.fields:
            self.initial["tags"] = "\n".join(row.tags.order_by("taggings__id").values_list("name", flat=True))
        if "assigned_agent" in self.fields:
            field: Any = self.fields["assigned_agent"]
            free = Q(client=row.client_id, is_active=True) & ~Q(kind=Agent.Kind.SYSTEM)
            field.queryset = field.queryset.filter(free | Q(pk=row.assigned_agent_id))

    def clean_tags(self) -> list[str]:
        names = [name.strip() for name in self.cleaned_data["tags"].splitlines() if name.strip()]
        if any(len(name) > TAG_LENGTH for name in names):
            raise forms.ValidationError(_("A tag has at most %d characters.") % TAG_LENGTH)
        return names


class WriteForm(forms.Form):
    text = forms.CharField(strip=False, max_length=MAX_TEXT_BYTES, required=False)
    file = forms.FileField(required=False, allow_empty_file=True)
    private = forms.BooleanField(required=False)
