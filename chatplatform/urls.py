from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

from chatplatform import files, health
from chatplatform.admin import passwords, stream
from chatplatform.dialects import urlpatterns as dialect_patterns
from chatplatform.openapi.views import Page, schema

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    *passwords.urlpatterns,
    path("admin/events/", stream.events, name="admin_events"),
    path("admin/", admin.site.urls),
    re_path(r"^healthz/?\Z", health.alive),
    re_path(r"^readyz/?\Z", health.ready),
    re_path(r"^api/schema/docs(?:/(?P<dialect>\w+))?/?\Z", Page.as_view()),
    re_path(r"^api/schema(?:/(?P<dialect>\w+))?/?\Z", schema),
    re_path(r"^files/(?P<file>[\s\S]*)\Z", files.signed),
    *dialect_patterns(),
]
handler400 = "chatplatform.health.bad_request"
handler404 = "chatplatform.health.unknown_path"
handler500 = "chatplatform.health.crashed"
