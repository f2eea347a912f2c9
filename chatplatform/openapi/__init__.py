"""OpenAPI 3.1 of each dialect and of all of them, derived from the declarations of their calls
(`dialects/operations.py`), with a page to browse it."""
