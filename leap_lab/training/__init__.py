"""How the built-in model is made: its tokenizer, the programmatic reasoner it learns from, and the training itself."""
