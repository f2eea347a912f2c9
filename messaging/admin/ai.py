"""What AI agents used, and what that cost."""

from decimal import Decimal

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from chatplatform.admin import ModelAdmin

from ..models import AgentUsage


@admin.register(AgentUsage)
class AgentUsageAdmin(ModelAdmin):
    list_display = ["day", "agent", "answers", "failures", "tokens_in", "tokens_out", "cost_shown"]
    list_select_related = ["agent"]
    list_filter = ["agent"]
    fields = ["agent", "day", "answers", "failures", "tokens_in", "tokens_out", "cost_shown"]
    readonly_fields = ["cost_shown"]
    ordering = ["-day", "-id"]

    @admin.display(description=_("cost"))
    def cost_shown(self, row: AgentUsage) -> Decimal:
        return row.cost
