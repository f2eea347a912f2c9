from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from drf_spectacular.settings import spectacular_settings
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import TemplateHTMLRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from chatplatform import dialects
from chatplatform.dialects.permissions import Anyone

from .schema import schema_of_dialect, whole_schema


def schema(request: HttpRequest, dialect: str = "") -> HttpResponse:
    """The OpenAPI document of all dialects, or of one."""
    if request.method not in ("GET", "HEAD"):
        return JsonResponse({"detail": "Method not allowed"}, status=405, headers={"Allow": "GET, HEAD"})
    document = schema_of_dialect(dialect) if dialect else whole_schema()
    if document is None:
        raise Http404
    return JsonResponse(document)


class Page(SpectacularSwaggerSplitView):
    """The same to browse and to try; everything it shows comes from this server."""

    authentication_classes = []
    permission_classes = [Anyone]
    renderer_classes = [TemplateHTMLRenderer]
    template_name = "openapi.html"

    def get(self, request: Request, *args: Any, dialect: str = "", **kwargs: Any) -> Response:
        if dialect and schema_of_dialect(dialect) is None:
            raise Http404
        self.title = spectacular_settings.TITLE
        self.url = f"/api/schema/{dialect}".rstrip("/")
        response: Response = super().get(request, *args, **kwargs)
        response.data["dialects"] = sorted(each.name for each in dialects.discover())
        response.data["shown"] = dialect
        return response
