from rest_framework.request import Request
from rest_framework.response import Response

from ..operations import operation
from ..uploading import NewUpload, announce
from . import ids
from . import message_shapes as shapes
from .shapes import time
from .view import View


class Uploads(View):
    """Whoever may write messages may bring files."""

    reads = "messages:read"
    writes = "messages:write"
    rates = "uploads"

    @operation("Announce a file", body=NewUpload, answer=shapes.Upload, status=201, problems=(404,), secret=True)
    def create(self, request: Request, conversation_id: str) -> Response:
        upload, address = announce(self, self.conversation(conversation_id))
        data: shapes.Upload = {
            "upload_url": address,
            "file_id": ids.shown("file", upload.uuid),
            "expires_at": time(upload.expires_at),
        }
        return Response(data, status=201)
