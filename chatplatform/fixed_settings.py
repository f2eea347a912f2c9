"""Settings of libraries that are the same in every installation."""

from django.templatetags.static import static

CORS_ALLOW_HEADERS = [
    "accept", "authorization", "content-type", "idempotency-key", "last-event-id", "x-public-key", "x-request-id",
]  # fmt: skip
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["chatplatform.dialects.permissions.DenyByDefault"],
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Chat Platform",
    "DESCRIPTION": "One store of customer conversations, read and written through each of these APIs.",
    "VERSION": "1.0",
    "OAS_VERSION": "3.1.0",
    "SORT_OPERATIONS": False,
    "POSTPROCESSING_HOOKS": [],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "validatorUrl": None},
}
UNFOLD = {
    "SITE_TITLE": "Chat Platform",
    "SITE_HEADER": "Chat Platform",
    "SITE_SYMBOL": "forum",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("chatplatform/favicon.svg")}
    ],
    "STYLES": [lambda request: static("chatplatform/desk.css")],
    "SIDEBAR": {"navigation": "chatplatform.admin.menu.navigation"},
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "analytics.admin.add_to_index",
}
