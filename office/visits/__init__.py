"""What is kept of a visit of somebody to the office, in their session or until they have logged in again."""
