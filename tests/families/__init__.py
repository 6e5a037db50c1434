"""Chat templates of our own that behave as those of model families do, and tokenizers with their control tokens."""
