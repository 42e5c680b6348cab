"""Staff and tokens, as the back office shows them: the same rows under rights of their own."""

from django.utils.translation import gettext_lazy as _
from knox.models import AuthToken

from accounts.models.users import User


class Staff(User):
    """Users who may open the back office."""

    class Meta:
        proxy = True
        verbose_name = _("member of staff")
        verbose_name_plural = _("staff")
        default_permissions = ("view", "add", "change")


class Token(AuthToken):  # type: ignore[misc]
    """What a service calls the API with. Only its digest is kept."""

    class Meta:
        proxy = True
        verbose_name = _("token")
        verbose_name_plural = _("tokens")
        default_permissions = ("view", "add", "delete")

    def __str__(self) -> str:
        return f"{self.user} {self.token_key}…"
