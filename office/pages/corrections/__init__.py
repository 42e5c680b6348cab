"""What staff put right: asking for it alone or in a list, the queue, and a second person's answers."""

from office.pages.corrections import admin
from office.pages.corrections.admin import count_waiting
from office.pages.corrections.proposing import foresee_asking, propose

__all__ = ["admin", "count_waiting", "foresee_asking", "propose"]
