"""LeaP-T: teaching a model to learn from its peers, from run folders to a fine-tuned and measured model."""
