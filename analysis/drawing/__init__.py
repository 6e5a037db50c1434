"""Tables and figures: formatting that knows rows and estimates, and no experiment."""
