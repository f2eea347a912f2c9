"""Full-text search: what a text's words are (`text`), which messages have them (`messages`, docs/search.md)."""
