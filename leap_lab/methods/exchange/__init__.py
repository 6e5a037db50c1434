"""What paths tell each other, when, to whom, and who waits: the parts that methods of exchange are made of."""
