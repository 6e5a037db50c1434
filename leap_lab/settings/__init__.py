"""What a command means: checked cells from KEY=VALUE."""
