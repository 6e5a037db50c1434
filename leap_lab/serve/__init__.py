"""A decoding method as an endpoint that speaks OpenAI's protocol."""
