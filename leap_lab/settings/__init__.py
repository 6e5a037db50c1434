"""What a command means: checked cells out of KEY=VALUE."""
