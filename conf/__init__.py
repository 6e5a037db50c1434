"""The choices of the command line, one YAML each; a package so that a wheel carries them."""
