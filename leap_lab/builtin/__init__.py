"""How the built-in model is made: its reasoner, corpus, training and evaluation."""
