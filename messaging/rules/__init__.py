"""What a client's rules make of a customer's message: opening hours, auto-replies, queues, auto-tags."""
