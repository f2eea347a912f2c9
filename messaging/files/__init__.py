"""The bytes of files: one interface over two stores (the local disk, S3), and the addresses that lead to them.

Rows go first, bytes after the commit: what is cut off between leaves bytes without a row, which
`sweep_uploads` removes, and never a row without its bytes.
"""

from .addresses import LIFETIME, download_address, upload_address
from .stores import Store, delete_bytes, key_of, store

__all__ = ["LIFETIME", "Store", "delete_bytes", "download_address", "key_of", "store", "upload_address"]
