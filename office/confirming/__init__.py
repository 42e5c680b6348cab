"""What the page of a command shows before it is given: what it is done to, and what would come of it."""
