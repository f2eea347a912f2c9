"""Which of a client's articles answers a question, and with which of its words (docs/knowledge.md)."""
