from django.contrib import admin
from django.urls import path, re_path
from django.views.generic import RedirectView

from chatplatform import health
from chatplatform.dialects import urlpatterns as dialect_patterns

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("admin/", admin.site.urls),
    re_path(r"^healthz/?\Z", health.alive),
    re_path(r"^readyz/?\Z", health.ready),
    *dialect_patterns(),
]
handler400 = "chatplatform.health.bad_request"
handler404 = "chatplatform.health.unknown_path"
handler500 = "chatplatform.health.crashed"
