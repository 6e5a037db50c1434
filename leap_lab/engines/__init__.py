"""Engines: one protocol (`base`), decoded by vLLM in process (`vllm`) or by a script in tests (`scripted`)."""
