from rest_framework.request import Request
from rest_framework.response import Response

from ..operations import operation
from ..uploading import announce
from . import inputs, shapes
from .view import View


class Uploads(View):
    @operation(
        "Announce file",
        body=inputs.NewUpload, answer=shapes.UploadAnnounced, status=201, problems=(403, 404), secret=True,
    )  # fmt: skip
    def create(self, request: Request, conversation_id: str) -> Response:
        upload, address = announce(self, self.conversation(conversation_id))
        data: shapes.Upload = {
            "upload_url": address,
            "file_id": str(upload.uuid),
            "expires_at": shapes.time(upload.expires_at),
        }
        return Response({"message": "Upload created successfully", "data": data}, status=201)
